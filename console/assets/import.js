// Without this file everything works as well: the page is loaded again every few seconds.
"use strict";

const AGAIN = 1500;

async function follow() {
  const work = document.getElementById("work");
  let next;
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    const text = await answer.text();
    next = answer.ok ? new DOMParser().parseFromString(text, "text/html").getElementById("work") : null;
    if (!next) return location.reload();
  } catch {
    return setTimeout(follow, AGAIN * 4); // the console can't be reached: it may come back
  }
  const bar = work.querySelector("progress");
  const newBar = next.querySelector("progress");
  if (bar && newBar && bar.hasAttribute("value") && newBar.hasAttribute("value")) {
    bar.value = newBar.value; // the bar goes on, and is not made anew
    work.querySelector("p").textContent = next.querySelector("p").textContent;
  } else {
    work.replaceChildren(...next.childNodes);
  }
  setTimeout(follow, AGAIN);
}

function bring(form) {
  const list = form.elements.list;
  const tooLarge = form.querySelector("[data-too-large]");
  const isTooLarge = () => list.files.length > 0 && list.files[0].size > Number(form.dataset.largest);
  list.addEventListener("change", () => { tooLarge.hidden = !isTooLarge(); });
  form.addEventListener("submit", (event) => {
    if (isTooLarge()) {
      event.preventDefault();
      list.focus();
    } else {
      form.querySelector("button").disabled = true; // a list is sent once
    }
  });
  addEventListener("pageshow", () => { form.querySelector("button").disabled = false; });
}

if (document.getElementById("work")) setTimeout(follow, AGAIN);
const form = document.querySelector("form.bring");
if (form) bring(form);
