// A formula in MathML, which browsers typeset themselves.

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
