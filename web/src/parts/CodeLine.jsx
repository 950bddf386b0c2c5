// A line of code, and a button that copies it.
import { useState } from "preact/hooks";

export function CodeLine({ code }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(code);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div class="code-line">
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
      {navigator.clipboard && (
        <button class="button no-print" type="button" onClick={copy}>
          {copied ? "Copied" : "Copy"}
        </button>
      )}
    </div>
  );
}
