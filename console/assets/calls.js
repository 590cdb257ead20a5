// Without this script the pages work; with it new work appears by itself, and a key is a button.
"use strict";
(() => {
  const REFRESH_EVERY_MS = 10000;
  const list = document.querySelector("[data-rows]");
  const stale = document.querySelector("[data-stale]");
  let last = "";

  // Whoever goes through the list by keyboard stays at the patient where they were.
  function show(rows) {
    const focused = list.contains(document.activeElement) && document.activeElement;
    const task = focused && focused.closest("[data-task]")?.dataset.task;
    list.innerHTML = rows;
    if (!focused) return;
    const same = task && list.querySelector(`[data-task="${CSS.escape(task)}"]`);
    const target = same ? same.querySelector("button, [tabindex]") : list;
    target?.focus({ preventScroll: Boolean(same) });
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(list.dataset.rows, { headers: { Accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const rows = await answer.text();
      if (rows !== last) show(rows);
      last = rows;
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
  }
  if (list) {
    setInterval(refresh, REFRESH_EVERY_MS);
    document.addEventListener("visibilitychange", refresh);
  }

  // On a Cyrillic keyboard the key counts by its place.
  function letter(event) {
    const typed = event.key.toLowerCase();
    return /^[a-z]$/.test(typed) ? typed : event.code.replace(/^Key/, "").toLowerCase();
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = document.querySelector(`[data-key="${CSS.escape(letter(event))}"]`);
    if (!target) return;
    event.preventDefault();
    target.focus();
    if (!("final" in target.dataset)) target.click();
  });
})();
