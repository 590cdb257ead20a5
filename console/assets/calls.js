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

  // Whoever is on the phone is told what came in meanwhile: a stop, a booking, a colleague's report.
  const news = document.querySelector("[data-news]");
  let told = "";

  async function ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch(news.dataset.news, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const said = (await answer.text()).trim();
      if (said !== told) news.innerHTML = said;
      told = said;
    } catch {
      // the server says it again when the outcome is sent
    }
  }
  if (news) {
    setInterval(ask, REFRESH_EVERY_MS);
    document.addEventListener("visibilitychange", ask);
  }

  // On a Cyrillic keyboard the key counts by its place.
  function letter(event) {
    const typed = event.key.toLowerCase();
    return /^[a-z]$/.test(typed) ? typed : event.code.replace(/^Key/, "").toLowerCase();
  }

  // A key that is still held when it has led to another page presses nothing there.
  const HELD = "key-held";
  const LET_GO_AFTER_MS = 500;
  let held = sessionStorage.getItem(HELD) !== null;
  let letting = 0;
  function letGo() {
    held = false;
    sessionStorage.removeItem(HELD);
  }
  function letGoSoon() {
    clearTimeout(letting);
    letting = setTimeout(letGo, LET_GO_AFTER_MS);
  }
  if (held) letGoSoon();
  document.addEventListener("keyup", letGo);

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (held) letGoSoon();
    if (held || event.repeat) return;
    const target = document.querySelector(`[data-key="${CSS.escape(letter(event))}"]`);
    if (!target) return;
    event.preventDefault();
    target.focus();
    if ("final" in target.dataset) return;
    sessionStorage.setItem(HELD, "");
    target.click();
  });
})();
