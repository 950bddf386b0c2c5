// Light or dark: the reader's system decides until the reader does.
import { useEffect, useState } from "preact/hooks";

const KEY = "plogq-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function ThemeToggle() {
  const [chosen, setChosen] = useState(recall);
  const [dark, setDark] = useState(system.matches);
  useEffect(() => {
    const follow = () => setDark(system.matches);
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, []);
  useEffect(() => {
    if (chosen) document.documentElement.dataset.theme = chosen;
  }, [chosen]);
  const other = (chosen ?? (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
  const choose = () => {
    setChosen(other);
    try {
      localStorage.setItem(KEY, other);
    } catch {
      // Where a page may store nothing, it still changes its colours.
    }
  };
  return (
    <button class="button no-print" type="button" onClick={choose}>
      {other === "dark" ? "Dark" : "Light"} theme
    </button>
  );
}

function recall() {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "dark" || kept === "light" ? kept : null;
  } catch {
    return null;
  }
}
