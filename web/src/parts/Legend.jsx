/** items: [{color: "gain" | "keep" | "waste" | "rest", name, value?, text?}] */
export function Legend({ items }) {
  return (
    <ul class="legend">
      {items.map(({ color, name, value, text }) => (
        <li key={name}>
          <svg class="swatch" viewBox="0 0 14 14" aria-hidden="true">
            <rect class={`fill-${color}`} width="14" height="14" rx="3" />
          </svg>
          <span>
            <b>{name}</b> {value && <span class="value">{value}</span>}
            {text && <> {text}</>}
          </span>
        </li>
      ))}
    </ul>
  );
}
