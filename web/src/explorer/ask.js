// Questions to Python: one is in flight, and of the waiting ones only the last is sent.

/** Ask the server for a page's figures at a state. Rejects with the server's own sentence. */
export async function askServer(name, state) {
  const response = await fetch(`/api/page/${name}`, {
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

/** Give a function that asks `ask` for the latest state, and tells `done(answer, error)`. */
export function latest(ask, done) {
  let [busy, waiting] = [false, null];
  const send = async (state) => {
    if (busy) {
      waiting = state;
      return;
    }
    busy = true;
    await ask(state).then((answer) => done(answer, null), (error) => done(null, error.message));
    busy = false;
    if (waiting !== null) {
      const next = waiting;
      waiting = null;
      send(next);
    }
  };
  return send;
}
