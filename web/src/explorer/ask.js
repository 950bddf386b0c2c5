// Questions to Python: one is in flight, and of the waiting ones only the last is sent.

/**
 * Ask the server for a page's figures at a state, or with `part` for what of them is soon there.
 * Rejects with the server's own sentence.
 */
export async function askServer(name, state, part = false) {
  const response = await fetch(`/api/page/${name}${part ? "?part" : ""}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(state),
  }).catch(() => {
    throw new Error("The server does not answer. Was it stopped?");
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/**
 * Give a function that asks `ask` for the latest state, and tells `done(answer, error)`: again and again while the
 * answer says that there is more.
 */
export function latest(ask, done) {
  let [busy, waiting] = [false, null];
  const send = async (state) => {
    if (busy) {
      waiting = state;
      return;
    }
    busy = true;
    const told = (answer) => {
      done(answer, null);
      if (answer.more) waiting ??= state;
    };
    await ask(state).then(told, (error) => done(null, error.message));
    busy = false;
    if (waiting !== null) {
      const next = waiting;
      waiting = null;
      send(next);
    }
  };
  return send;
}
