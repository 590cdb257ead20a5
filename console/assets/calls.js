// Without this script the pages work; with it new work appears by itself, and a key is a button.
"use strict";
(() => {
  const REFRESH_EVERY_MS = 10000;
  const list = document.querySelector("[data-rows]");
  const stale = document.querySelector("[data-stale]");

  async function refresh() {
    if (document.hidden || list.contains(document.activeElement)) return;
    try {
      const answer = await fetch(list.dataset.rows, { headers: { Accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const rows = await answer.text();
      if (rows !== list.dataset.last) {
        list.innerHTML = rows;
        list.dataset.last = rows;
      }
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
  }
  if (list) {
    setInterval(refresh, REFRESH_EVERY_MS);
    document.addEventListener("visibilitychange", refresh);
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!target) return;
    event.preventDefault();
    target.focus();
    target.click();
  });
})();
