// What a picture says, the picture, and its numbers.

/**
 * id        anchor
 * words     {title, text, advice}: the finding, what it means, what to do
 * wide      the words above the picture instead of beside it
 * long      may be cut by a page's end when printed
 * children  the picture, tables
 */
export function Figure({ id, words, wide = false, long = false, children }) {
  const classes = ["figure", wide && "figure-wide", long && "figure-long"].filter(Boolean);
  return (
    <section class={classes.join(" ")} id={id} aria-labelledby={`${id}-title`}>
      <div class="figure-words">
        <h2 id={`${id}-title`}>{words.title}</h2>
        {words.text && <p>{words.text}</p>}
        {words.advice && <p class="advice">{words.advice}</p>}
      </div>
      <div class="figure-body">{children}</div>
    </section>
  );
}

/** A table that opens under a chart: the same numbers, for readers of tables and screen readers. */
export function Numbers({ children }) {
  return (
    <details class="numbers">
      <summary>The numbers</summary>
      {children}
    </details>
  );
}
