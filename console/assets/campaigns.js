"use strict";
// Figures that are still changing are fetched again now and then; without this, the page says so
// to the browser itself. What somebody is just using is left alone.
(() => {
  let waiting = 0;

  const later = () => {
    clearTimeout(waiting);
    const part = document.querySelector("#live[data-every]");
    if (part) waiting = setTimeout(again, Number(part.dataset.every));
  };

  const again = async () => {
    const part = document.querySelector("#live[data-every]");
    if (part && !document.hidden && !part.contains(document.activeElement)) {
      try {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        if (answer.redirected) return location.reload(); // signed out: old figures would look new
        if (answer.ok) {
          const page = new DOMParser().parseFromString(await answer.text(), "text/html");
          const fresh = page.getElementById("live");
          if (fresh && !part.contains(document.activeElement)) part.replaceWith(fresh);
        }
      } catch {
        // the console is being restarted, or the network is away: the next time
      }
    }
    later();
  };

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) again();
  });
  later();
})();
