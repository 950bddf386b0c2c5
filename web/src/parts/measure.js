// Widths on the screen: of a box, as it changes, and of a text before it is drawn.
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Return [ref, width in px] of an element; 0 before it is on the page. */
export function useWidth() {
  const box = useRef(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(Math.floor(box.current.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [box, width];
}

let pen;

/** The width of a chart's text in px. */
export function textWidth(text, weight = 400) {
  if (pen === undefined) {
    pen = document.createElement("canvas").getContext("2d");
    pen.family = getComputedStyle(document.body).fontFamily;
  }
  pen.font = `${weight} 13px ${pen.family}`;
  return pen.measureText(text).width;
}

/** The text, or as much of its beginning as fits, with an ellipsis. */
export function fitText(text, width, weight = 400) {
  const letters = [...text.slice(0, 200)];
  if (letters.length === text.length && textWidth(text, weight) <= width) return text;
  let [fits, no] = [0, letters.length + 1];
  while (no - fits > 1) {
    const middle = (fits + no) >> 1;
    const cut = `${letters.slice(0, middle).join("")}…`;
    [fits, no] = textWidth(cut, weight) <= width ? [middle, no] : [fits, middle];
  }
  return fits > 0 ? `${letters.slice(0, fits).join("")}…` : "";
}
