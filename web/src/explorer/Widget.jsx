// One page inside a notebook; it asks the kernel by messages of the widget.
import { useMemo } from "preact/hooks";
import { pages } from "../pages/index.js";
import { PageBody, PageHead } from "./PageBody.jsx";
import { usePage } from "./state.js";

export function Widget({ model }) {
  const name = model.get("page");
  const spec = model.get("spec");
  const ask = useMemo(() => askKernel(model), []);
  const page = usePage({
    ask,
    begin: model.get("state"),
    keep: (state) => {
      model.set("state", state);
      model.save_changes();
    },
  });
  return (
    <article class="widget">
      <PageHead spec={spec} kicker="plogq" />
      <PageBody drawing={pages[name]} spec={spec} {...page} />
    </article>
  );
}

function askKernel(model) {
  const waiting = new Map();
  let number = 0;
  model.on("msg:custom", ({ id, result, error }) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error) asked?.no(new Error(error));
    else asked?.yes(result);
  });
  return (state) =>
    new Promise((yes, no) => {
      number += 1;
      waiting.set(number, { yes, no });
      model.send({ id: number, state });
    });
}
