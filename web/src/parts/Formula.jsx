// A formula in MathML, which browsers typeset themselves, and the pieces that all formulas share.

/** label: the formula in words, for screen readers; children: MathML elements. */
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

/** A part of a formula with its name below a brace. */
export function Named({ name, children }) {
  return (
    <munder>
      <mrow class="braced">
        {children}
        <mtext class="brace" aria-hidden="true">
          <Brace />
        </mtext>
      </mrow>
      <mrow>{name}</mrow>
    </munder>
  );
}

/** A brace as wide as the formula above it. It is drawn, since only fonts made for formulas have a brace that stretches. */
function Brace() {
  return (
    <svg>
      <path d="M.6,0Q.6,4 7,4" />
      <rect class="brace-left" y="3.4" height="1.2" />
      <svg x="50%">
        <path d="M-7,4Q-.6,4 0,8Q.6,4 7,4" />
      </svg>
      <rect class="brace-right" y="3.4" height="1.2" />
      <svg x="100%">
        <path d="M-.6,0Q-.6,4 -7,4" />
      </svg>
    </svg>
  );
}
