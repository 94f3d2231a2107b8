"use strict";
{
  const words = new Intl.Collator("en", { numeric: true });
  const next = { none: "ascending", ascending: "descending", descending: "none" };

  /** Numbers before words; what is absent stays last whichever way is sorted. */
  const compare = (a, b, sign) => {
    if (a.absent || b.absent) return a.absent - b.absent;
    if (isNaN(a.number) || isNaN(b.number)) {
      return isNaN(a.number) - isNaN(b.number) || sign * words.compare(a.text, b.text);
    }
    return sign * (a.number - b.number);
  };

  const read = (cell) => ({
    absent: Number(cell.classList.contains("absent") || !cell.textContent),
    number: cell.dataset.value ? Number(cell.dataset.value) : NaN,
    text: cell.textContent,
  });

  const sort = (table, rows, head) => {
    const way = next[head.ariaSort || "none"];
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    if (way !== "none") head.setAttribute("aria-sort", way);
    const sign = { none: 0, ascending: 1, descending: -1 }[way];
    const keyed = rows.map((row) => ({ row, key: read(row.cells[head.cellIndex]) }));
    if (sign) keyed.sort((a, b) => compare(a.key, b.key, sign));
    table.tBodies[0].append(...keyed.map(({ row }) => row));
  };

  for (const table of document.querySelectorAll(".sortable table")) {
    const rows = [...table.tBodies[0].rows];
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      const arrow = document.createElement("span");
      arrow.className = "arrow";
      arrow.ariaHidden = "true";
      button.insertBefore(arrow, button.querySelector("small"));
      button.addEventListener("click", () => sort(table, rows, head));
      head.append(button);
    }
  }

  const dialog = document.querySelector("dialog");
  const shown = dialog.querySelector("img");
  const enlarge = (image, title) => {
    shown.src = image.src;
    shown.alt = image.alt;
    dialog.querySelector("h2").textContent = title;
    dialog.showModal();
  };
  for (const card of document.querySelectorAll("figure .card")) {
    const image = card.querySelector("img");
    const title = card.parentElement.querySelector("h3").textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Enlarge";
    button.setAttribute("aria-label", `Enlarge figure: ${title}`);
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => enlarge(image, title));
    image.addEventListener("click", () => button.click());
    card.classList.add("zooms");
    card.after(button);
  }
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
