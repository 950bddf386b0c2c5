// A search field that finds pages by their titles, summaries and words.
import { useEffect, useRef, useState } from "preact/hooks";

export function Search({ specs }) {
  const [query, setQuery] = useState("");
  const field = useRef(null);
  useEffect(() => {
    const focus = (event) => {
      const typing = event.target.closest("input, textarea, select");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      field.current.focus();
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  const found = find(specs, query);
  const go = (event) => {
    event.preventDefault();
    if (found.length) location.assign(`/${found[0]}`);
  };
  return (
    <search class="search no-print">
      <form onSubmit={go} onKeyDown={(event) => event.key === "Escape" && setQuery("")}>
        <input class="field" type="search" placeholder="Search  /" aria-label="Search the pages" ref={field}
          value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
      </form>
      <p class="hidden" role="status">
        {query && `${found.length} ${found.length === 1 ? "page" : "pages"} found`}
      </p>
      {query && (
        <ul class="search-found">
          {found.length === 0 && <li class="note">No page is about that.</li>}
          {found.map((name) => (
            <li key={name}>
              <a href={`/${name}`}>{specs[name].title}</a>
            </li>
          ))}
        </ul>
      )}
    </search>
  );
}

/** Give the names of the pages that have every word of the query, with hits in titles first. */
function find(specs, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text) => words.every((word) => text.toLowerCase().includes(word));
  const all = Object.entries(specs).filter(([, s]) => has(`${s.title} ${s.summary} ${s.words}`));
  const rank = ([, s]) => (has(s.title) ? 0 : 1);
  return all.sort((a, b) => rank(a) - rank(b)).map(([name]) => name);
}
