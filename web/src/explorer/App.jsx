// The explorer: a start page with all pages, or one of them. A link loads a new document: the
// server is on this machine, and the browser's history then works by itself.
import { useMemo } from "preact/hooks";
import { ThemeToggle } from "../parts/ThemeToggle.jsx";
import { pages } from "../pages/index.js";
import { note, recall, write } from "./address.js";
import { askServer } from "./ask.js";
import { PageBody, PageHead } from "./PageBody.jsx";
import { Search } from "./Search.jsx";
import { Start } from "./Start.jsx";
import { usePage } from "./state.js";

/** specs: {name: {title, summary, words, controls}} in reading order; name: "" for the start */
export function App({ specs, name }) {
  const spec = Object.hasOwn(specs, name) && specs[name]; // an inherited name, such as “constructor”, is no page
  document.title = spec ? `${spec.title} · plogq` : "plogq explorer";
  return (
    <div class="explorer">
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="explorer-top">
        <a class="home" href="/">
          <b>plogq</b> explorer
        </a>
        <Search specs={specs} />
        <ThemeToggle />
      </header>
      <main id="main">
        {spec ? (
          <Page key={name} name={name} spec={spec} specs={specs} />
        ) : (
          <Start specs={specs} missing={name} />
        )}
      </main>
    </div>
  );
}

function Page({ name, spec, specs }) {
  const order = Object.keys(specs);
  const at = order.indexOf(name);
  const page = usePage({
    ask: (state) => askServer(name, state, spec.begun),
    begin: useMemo(() => recall(spec.controls), []),
    note: (state) => note(spec.controls, state),
    keep: (state) => write(spec.controls, state),
  });
  return (
    <article>
      <PageHead spec={spec} kicker={`${at + 1} of ${order.length}`} />
      <PageBody drawing={pages[name]} spec={spec} {...page} served />
      <nav class="onward no-print" aria-label="Pages before and after">
        {at > 0 ? <Onward name={order[at - 1]} specs={specs} what="Before" /> : <span />}
        {at < order.length - 1 && <Onward name={order[at + 1]} specs={specs} what="Next" />}
      </nav>
    </article>
  );
}

function Onward({ name, specs, what }) {
  return (
    <a class={`onward-${what.toLowerCase()}`} href={`/${name}`} rel={what === "Next" ? "next" : "prev"}>
      <span>{what}</span>
      <b>{specs[name].title}</b>
    </a>
  );
}
