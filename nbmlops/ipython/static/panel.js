// @ts-check
/**
 * The live panel of `%mlops panel`. The kernel sends one card; everything that came from a notebook, a file or a
 * server is put in as text, never as markup.
 *
 * @typedef {{caption: string, head: string[], rows: string[][]}} Table
 * @typedef {{state: string, tone: string, title: string, tables: Table[], notes: string[]}} Card
 * @typedef {{
 *   get(name: "card"): Card,
 *   get(name: "can_gate" | "busy"): boolean,
 *   on(event: string, listener: () => void): void,
 *   off(event: string, listener: () => void): void,
 *   send(content: {kind: "gate"}): void,
 * }} Model
 */

/**
 * @param {string} tag
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElement}
 */
function element(tag, text = "", attributes = {}) {
  const node = document.createElement(tag);
  node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/**
 * @param {Table} table
 * @returns {HTMLElement}
 */
function tableElement(table) {
  const head = element("tr");
  head.append(...table.head.map((name) => element("th", name, { scope: "col" })));
  const rows = table.rows.map(([first = "", ...rest]) => {
    const row = element("tr");
    const outcome = first === "PASS" || first === "FAIL" ? { "data-outcome": first } : {};
    row.append(element("th", first, { scope: "row", ...outcome }), ...rest.map((text) => element("td", text)));
    return row;
  });
  const thead = element("thead");
  thead.append(head);
  const tbody = element("tbody");
  tbody.append(...rows);
  const node = element("table");
  node.append(element("caption", table.caption), thead, tbody);
  return node;
}

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const headline = element("p", "", { role: "status", "aria-live": "polite", class: "nbmlops-headline" });
  const tables = element("div", "", { class: "nbmlops-tables" });
  const notes = element("div", "", { class: "nbmlops-notes" });
  const judge = /** @type {HTMLButtonElement} */ (element("button", "Run the gate", { type: "button" }));
  el.classList.add("nbmlops-panel");
  el.setAttribute("aria-label", "nbmlops panel");
  el.append(headline, tables, notes, judge);

  const draw = () => {
    const card = model.get("card");
    el.dataset.tone = card.tone;
    const said = `${card.state} ${card.title}`;
    if (headline.textContent !== said) headline.replaceChildren(element("strong", card.state), ` ${card.title}`);
    tables.replaceChildren(...card.tables.map(tableElement));
    notes.replaceChildren(...card.notes.map((note) => element("p", note)));
    judge.disabled = model.get("busy") || !model.get("can_gate");
    judge.textContent = model.get("busy") ? "Judging …" : "Run the gate";
  };
  const ask = () => model.send({ kind: "gate" });

  judge.addEventListener("click", ask);
  const events = ["change:card", "change:busy", "change:can_gate"];
  for (const event of events) model.on(event, draw);
  draw();
  return () => {
    for (const event of events) model.off(event, draw);
    judge.removeEventListener("click", ask);
  };
}

export default { render };
