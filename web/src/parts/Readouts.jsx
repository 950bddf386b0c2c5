// The numbers of a page: each with its name, its unit and the colour of its part of the picture.

/** readouts: [{name, text, unit, color}] as plogq.explorer.page gives them */
export function Readouts({ readouts }) {
  return (
    <dl class="readouts">
      {readouts.map(({ name, text, unit, color }) => (
        <div key={name} class={color ? `readout edge-${color}` : "readout"}>
          <dt>{name}</dt>
          <dd>
            <output>{text}</output> {unit && <span class="unit">{unit}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
