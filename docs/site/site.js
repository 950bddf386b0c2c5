// The theme puts the buttons of each code block into a landmark without a name: here it is none.
new MutationObserver(() => {
  for (const bar of document.querySelectorAll("nav.md-code__nav:not([role])")) {
    bar.setAttribute("role", "none");
  }
}).observe(document.documentElement, { childList: true, subtree: true });
