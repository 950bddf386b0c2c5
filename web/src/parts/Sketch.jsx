// A placeholder in a picture's frame until the figures arrive, which takes seconds where a model is trained first.

/** The frame of a page's picture while its first answer is awaited; nothing where that was refused. */
export function Awaited({ error }) {
  return !error && <div class="page-picture" aria-busy="true"><Sketch /></div>;
}

export function Sketch() {
  return (
    <svg class="sketch" viewBox="0 0 300 150" preserveAspectRatio="none" aria-hidden="true">
      <path class="stroke-rest thin" d="M8 8V142H292" />
      <path class="stroke-rest dashed" d="M8 126C90 126 110 44 164 44S236 112 292 112" />
    </svg>
  );
}
