// A formula in MathML, which browsers typeset themselves, and the pieces that all formulas share.

/** label: the formula in words, for those who hear it; children: MathML elements. */
export function Formula({ label, children }) {
  return (
    <div class="formula" tabIndex={0} role="group" aria-label={label}>
      <math display="block">
        <mrow>{children}</mrow>
      </math>
    </div>
  );
}

/** (…) no larger than its line. */
export function Of({ children }) {
  return (
    <>
      <mo stretchy="false">(</mo>
      {children}
      <mo stretchy="false">)</mo>
    </>
  );
}

/** log, with the space that a function's name has. */
export function Log() {
  return (
    <>
      <mspace width="0.17em" />
      <mi>log</mi>
      <mspace width="0.17em" />
    </>
  );
}

/** A letter with an index: q_j. */
export function Sub({ of, at }) {
  return (
    <msub>
      <mi>{of}</mi>
      <mi>{at}</mi>
    </msub>
  );
}

/** The sum over an index. */
export function Sum({ over }) {
  return (
    <munder>
      <mo>∑</mo>
      <mi>{over}</mi>
    </munder>
  );
}

/** A part of a formula with its name below. */
export function Named({ name, children }) {
  return (
    <munder>
      <munder>
        <mrow>{children}</mrow>
        <mo stretchy="true">⏟</mo>
      </munder>
      <mrow>{name}</mrow>
    </munder>
  );
}
