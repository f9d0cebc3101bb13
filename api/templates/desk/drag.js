// An appointment of the calendar can be dragged with a mouse or a pen. Where it is dropped, the form that moves it opens
// with that day, time and person: nothing is moved before somebody confirms there. Touch scrolls, and uses the form.

/** Pixels that make a press a drag. */
const THRESHOLD = 6;
/** Pixels from an edge of the board within which it scrolls, and by how many in each frame. */
const EDGE = 40;
const SPEED = 6;

/** The appointment that is pressed or dragged; none: null. */
let held = null;
/** Whether the click that follows a drag is ignored. */
let ignored = false;

const board = () => document.querySelector(".board");
const clock = (minute) => [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");

/** The board's minutes on the screen; null where its days are lists. */
function axis() {
  const { top, height } = board().querySelector(".axis ol").getBoundingClientRect();
  if (!height) return null;
  const [first, last, row] = ["first", "last", "row"].map((name) => Number(board().dataset[name]));
  return { first, last, row, minuteAt: (y) => first + ((y - top) * (last - first)) / height };
}

/** The column and start at the pointer. Less than half a step from its start it keeps that, whatever the minute. */
function target() {
  const { first, last, minuteAt } = axis();
  const { from, minutes, step } = held;
  const wanted = minuteAt(held.y) - held.grip;
  const latest = Math.floor((last - minutes) / step) * step;
  const snapped = Math.max(Math.min(Math.round(wanted / step) * step, latest), first);
  const columns = [...board().querySelectorAll(".column")];
  const column = columns.find((column) => held.x < column.getBoundingClientRect().right) ?? columns.at(-1);
  return { column, start: Math.abs(wanted - from) < step / 2 ? from : snapped };
}

/** Shows it where it would be dropped, never with former staff. The calendar may have been replaced since the last frame. */
function draw() {
  board().querySelector(`[data-move="${CSS.escape(held.move)}"]`)?.classList.add("moving");
  const { column, start } = target();
  if (!column.dataset.staff) return held.ghost.remove();
  const { first, row } = axis();
  const rows = Math.max(Math.floor(held.minutes / row), 1);
  held.ghost.className = `${held.look} ghost r${Math.floor((start - first) / row)} h${rows}`;
  held.ghost.querySelector("b").textContent = clock(start);
  const list = column.querySelector("ol");
  if (held.ghost.parentNode !== list) list.append(held.ghost);
}

/** Scrolls at the edges of the board. */
function scroll() {
  const { left, right, top, bottom } = board().getBoundingClientRect();
  const pull = (at, from, to) => (at < from + EDGE ? -SPEED : at > to - EDGE ? SPEED : 0);
  const [hours, names] = [board().querySelector(".axis").offsetWidth, board().querySelector("h2").offsetHeight];
  board().scrollBy(pull(held.x, left + hours, right), pull(held.y, top + names, bottom));
}

function frame() {
  if (!held?.ghost) return;
  if (axis()) {
    if (!held.dropped) scroll();
    draw();
  }
  requestAnimationFrame(frame);
}

function begin() {
  held.ghost = held.card.cloneNode(true);
  held.ghost.removeAttribute("data-move");
  held.ghost.setAttribute("aria-hidden", "true");
  held.ghost.querySelector("a").removeAttribute("href");
  held.look = [...held.card.classList].filter((name) => !/^(r|h)\d+$|^sub/.test(name)).join(" ");
  // The pointer's events come here outside of the window too, and whatever is replaced within the page.
  document.documentElement.setPointerCapture(held.pointer);
  document.documentElement.classList.add("dragging");
  ignored = true;
  frame();
}

/** Ends the drag and leaves no trace of it. */
function end() {
  held?.ghost?.remove();
  held = null;
  document.documentElement.classList.remove("dragging");
  document.querySelectorAll(".moving").forEach((card) => card.classList.remove("moving"));
}

/** Opens the form. It is shown where it was dropped until then; back in its own place nothing happens. */
function drop() {
  if (!axis()) return end();
  const { column, start } = target();
  const { staff, date } = column.dataset;
  if (!staff || (start === held.from && staff === held.staff && date === held.date)) return end();
  const form = new URL(held.move, location.href);
  Object.entries({ date, time: clock(start), staff }).forEach(([name, value]) => form.searchParams.set(name, value));
  held.dropped = true;
  location.assign(form);
}

addEventListener("pointerdown", (event) => {
  if (held) return;
  ignored = false;
  const card = event.target.closest("[data-move]");
  const plain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!card || !plain || event.pointerType === "touch" || !axis()) return;
  const { move, from, minutes, step } = card.dataset;
  const { staff, date } = card.closest(".column").dataset;
  const { clientX: x, clientY: y, pointerId: pointer } = event;
  const grip = axis().minuteAt(y) - Number(from);
  held = { card, move, staff, date, pointer, x, y, grip, from: Number(from), minutes: Number(minutes), step: Number(step) };
});

addEventListener("pointermove", ({ pointerId, clientX, clientY, buttons }) => {
  if (pointerId !== held?.pointer || held.dropped) return;
  if (!(buttons & 1)) return end();
  const far = Math.hypot(clientX - held.x, clientY - held.y) >= THRESHOLD;
  if (!held.ghost && !far) return;
  Object.assign(held, { x: clientX, y: clientY });
  if (!held.ghost) begin();
});

addEventListener("pointerup", ({ pointerId, clientX, clientY }) => {
  if (pointerId !== held?.pointer || held.dropped) return;
  if (!held.ghost) return end();
  Object.assign(held, { x: clientX, y: clientY });
  drop();
});

addEventListener("pointercancel", end);
addEventListener("pagehide", end);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") end();
});
// The browser does not drag the link, nor select text.
addEventListener("dragstart", (event) => held && event.preventDefault());
addEventListener("click", (event) => {
  // Of the keyboard it has no detail.
  if (!ignored || !event.detail) return;
  event.preventDefault();
  event.stopPropagation();
}, true);
