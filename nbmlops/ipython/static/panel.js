// @ts-check
/**
 * The live panel of `%mlops panel`: draws the view that the kernel sends, and tells it which button was pressed.
 *
 * Everything that came from a notebook, a file or a server is put in as text, never as markup; attributes that take
 * such text (title, aria-label) are no addresses, styles or handlers.
 *
 * @typedef {{caption: string, size: [number, number], points: [number, number][], reference: number | null}} Spark
 * @typedef {{text: string, tone: string, full: string, spark?: Spark}} Cell
 * @typedef {{key: string, title: string, badge: Cell, columns: string[], rows: Cell[][], notes: string[], codes: number[]}} Section
 * @typedef {{tone: string, title: string, lines: string[]}} Notice
 * @typedef {{key: string, label: string, refusal: string, next: boolean}} Action
 * @typedef {{
 *   state: string, tone: string, title: string, detail: string, facts: {name: string, value: Cell}[],
 *   notices: Notice[], sections: Section[], actions: Action[], busy: string, turn: number, outcome: Notice | null,
 * }} View
 * @typedef {{
 *   get(name: "view"): View,
 *   on(event: string, listener: () => void): void,
 *   off(event: string, listener: () => void): void,
 *   send(content: {kind: "act", action: string, turn: number}): void,
 * }} Model
 */

const SVG = "http://www.w3.org/2000/svg";
const DOING = { gate: "Judging …", register: "Registering …", compile: "Compiling …" };
const ICONS = { good: "✓", bad: "✕", warn: "!", live: "●", quiet: "○", plain: "•" };
const PATIENCE = 8000; // milliseconds without an answer after which the panel says so

/**
 * What stays when a front end draws the panel anew: which button had the focus, why it did nothing, which parts are
 * closed. A widget has this module for itself.
 * @type {{focus: string, why: string, closed: Set<string>}}
 */
const memory = { focus: "", why: "", closed: new Set() };

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
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @returns {SVGElement}
 */
function drawing(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

/**
 * @param {Spark} spark
 * @returns {SVGElement}
 */
function sparkElement({ caption, size: [width, height], points, reference }) {
  const box = { role: "img", "aria-label": caption, viewBox: `0 0 ${width} ${height}`, width, height };
  const node = drawing("svg", { ...box, class: "nbmlops-spark" });
  if (reference !== null) node.append(drawing("line", { x1: 0, x2: width, y1: reference, y2: reference }));
  node.append(drawing("polyline", { points: points.map(([x, y]) => `${x},${y}`).join(" ") }));
  const last = points.at(-1);
  if (last) node.append(drawing("circle", { cx: last[0], cy: last[1], r: 2.5 }));
  return node;
}

/**
 * @param {HTMLElement} node
 * @param {Cell} cell
 * @returns {HTMLElement}
 */
function filled(node, cell) {
  node.dataset.tone = cell.tone;
  if (cell.full) node.title = cell.full;
  const inner = cell.spark ? sparkElement(cell.spark) : element("bdi", cell.text);
  const shows = cell.text && (cell.tone === "good" || cell.tone === "bad" || cell.tone === "warn");
  if (shows) node.append(element("span", ICONS[cell.tone], { "aria-hidden": "true", class: "nbmlops-icon" }), " ");
  node.append(inner);
  return node;
}

/**
 * @param {Section} section
 * @param {Map<string, string>} before What stood in each cell when it was drawn last; brought up to date.
 * @returns {HTMLElement}
 */
function tableElement(section, before) {
  const isFirst = before.size === 0;
  // The roles stay where a narrow panel shows rows as blocks, which takes a table's own meaning away.
  const head = element("tr", "", { role: "row" });
  head.append(...section.columns.map((name) => element("th", name, { scope: "col", role: "columnheader" })));
  const rows = section.rows.map((cells) => {
    const row = element("tr", "", { role: "row" });
    cells.forEach((cell, place) => {
      const node = place
        ? element("td", "", { role: "cell", "data-column": section.columns[place] })
        : element("th", "", { scope: "row", role: "rowheader" });
      if (section.codes.includes(place)) node.classList.add("nbmlops-code");
      if (!cell.text && !cell.spark) node.classList.add("nbmlops-none");
      const where = `${cells[0].text}\n${section.columns[place]}`;
      const said = cell.text + (cell.spark?.caption ?? "");
      if (!isFirst && before.get(where) !== said) node.classList.add("nbmlops-fresh");
      before.set(where, said);
      row.append(filled(node, cell));
    });
    return row;
  });
  const thead = element("thead", "", { role: "rowgroup" });
  thead.append(head);
  const tbody = element("tbody", "", { role: "rowgroup" });
  tbody.append(...rows);
  const table = element("table", "", { role: "table", "aria-label": section.title });
  table.append(thead, tbody);
  return table;
}

/**
 * @param {Notice} notice
 * @returns {HTMLElement}
 */
function noticeElement(notice) {
  const node = element("div", "", { class: "nbmlops-notice", "data-tone": notice.tone });
  const title = element("p", "", { class: "nbmlops-notice-title" });
  const icon = element("span", ICONS[notice.tone] ?? "", { "aria-hidden": "true", class: "nbmlops-icon" });
  title.append(icon, " ", element("strong", notice.title));
  node.append(title);
  if (notice.lines.length) {
    const list = element("ul");
    list.append(...notice.lines.map((line) => element("li", line)));
    node.append(list);
  }
  return node;
}

/** A part of the page that is drawn anew only when what it shows has changed. */
class Part {
  /**
   * @param {HTMLElement} node
   * @param {(value: any) => HTMLElement[]} draw
   */
  constructor(node, draw) {
    this.node = node;
    this.draw = draw;
    this.shown = "";
  }

  /** @param {any} value */
  show(value) {
    const said = JSON.stringify(value);
    if (said === this.shown) return;
    this.shown = said;
    this.node.replaceChildren(...this.draw(value));
  }
}

/** One section: a heading that opens and closes it, and its table. */
class SectionPart {
  /** @param {Section} section */
  constructor(section) {
    this.node = /** @type {HTMLDetailsElement} */ (element("details", "", { "data-key": section.key }));
    this.node.open = !memory.closed.has(section.key);
    this.node.addEventListener("toggle", () => {
      if (this.node.open) memory.closed.delete(section.key);
      else memory.closed.add(section.key);
    });
    this.title = new Part(element("summary"), ({ title, badge }) => {
      const label = filled(element("span", "", { class: "nbmlops-badge" }), badge);
      return [element("span", title, { class: "nbmlops-section-title" }), label];
    });
    /** @type {Map<string, string>} */
    const before = new Map();
    this.body = new Part(element("div", "", { class: "nbmlops-body" }), (shown) => [
      ...(shown.rows.length ? [tableElement(shown, before)] : []),
      ...shown.notes.map((/** @type {string} */ note) => element("p", note, { class: "nbmlops-note" })),
    ]);
    this.node.append(this.title.node, this.body.node);
  }

  /** @param {Section} section */
  show(section) {
    this.title.show({ title: section.title, badge: section.badge });
    this.body.show(section);
    // What is longer than its place can be moved by keys, too.
    const body = this.body.node;
    window.requestAnimationFrame(() => {
      if (body.scrollHeight > body.clientHeight + 1 || body.scrollWidth > body.clientWidth + 1) {
        for (const [name, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": section.title })) {
          body.setAttribute(name, value);
        }
      } else for (const name of ["tabindex", "role", "aria-label"]) body.removeAttribute(name);
    });
  }
}

/** The buttons. One that cannot be pressed keeps the focus and says why. */
class Buttons {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.node = element("div", "", { class: "nbmlops-actions", role: "group", "aria-label": "actions" });
    this.why = element("p", memory.why, { class: "nbmlops-why", role: "status" });
    /** @type {Map<string, HTMLElement>} */
    this.buttons = new Map();
    this.asked = "";
    this.askedTurn = -1;
    this.timer = 0;
    this.gone = false;
  }

  /** @param {string} text */
  say(text) {
    memory.why = text;
    this.why.textContent = text;
  }

  /** @param {string} key */
  press(key) {
    const view = this.model.get("view");
    const action = view.actions.find((one) => one.key === key);
    if (!action || this.asked || view.busy || this.gone) return;
    if (action.refusal) {
      this.say(`${action.label}: ${action.refusal}`);
      return;
    }
    this.asked = key;
    this.askedTurn = view.turn;
    this.model.send({ kind: "act", action: key, turn: view.turn });
    this.timer = window.setTimeout(() => {
      this.say("The kernel has not answered yet: it does this when the cell that runs now has ended.");
    }, PATIENCE);
    this.show(view);
  }

  /** @param {View} view */
  show(view) {
    if (this.asked && view.turn !== this.askedTurn) {
      this.asked = "";
      window.clearTimeout(this.timer);
      this.say("");
    }
    for (const action of view.actions) {
      const button = this.buttons.get(action.key) ?? this.make(action.key);
      const busy = view.busy === action.key || this.asked === action.key;
      const refused = Boolean(action.refusal || this.asked || view.busy || this.gone);
      const label = busy ? DOING[action.key] : action.label;
      if (button.textContent !== label) button.textContent = label;
      button.setAttribute("aria-disabled", String(refused));
      button.setAttribute("aria-busy", String(busy));
      button.title = action.refusal;
      button.classList.toggle("nbmlops-next", action.next && !refused);
    }
  }

  /** @param {string} key */
  make(key) {
    const button = element("button", "", { type: "button", "data-action": key });
    button.addEventListener("click", () => this.press(key));
    button.addEventListener("focus", () => (memory.focus = key));
    button.addEventListener("blur", () => {
      // A button that is taken away loses the focus, too; its successor, which comes at once, gets it back.
      window.setTimeout(() => {
        if (button.isConnected && document.activeElement !== button && memory.focus === key) memory.focus = "";
      });
    });
    this.buttons.set(key, button);
    this.node.append(button);
    return button;
  }
}

/** @param {{model: Model, el: HTMLElement}} context */
function render({ model, el }) {
  const panel = element("section", "", { class: "nbmlops-panel", "aria-label": "nbmlops panel" });
  // Keys pressed on our buttons are no commands for the notebook around them.
  panel.setAttribute("data-lm-suppress-shortcuts", "true");
  const headline = element("p", "", { class: "nbmlops-headline", role: "status", "aria-live": "polite" });
  const detail = element("p", "", { class: "nbmlops-detail" });
  const titles = element("div", "", { class: "nbmlops-titles" });
  titles.append(headline, detail);
  const buttons = new Buttons(model);
  const header = element("header");
  header.append(titles, buttons.node);
  const outcome = new Part(element("div", "", { class: "nbmlops-outcome", role: "alert" }), (notice) =>
    notice ? [noticeElement(notice)] : [],
  );
  const facts = new Part(element("ul", "", { class: "nbmlops-facts", role: "list" }), (pairs) =>
    pairs.map((/** @type {{name: string, value: Cell}} */ { name, value }) => {
      const pair = element("li");
      const shown = filled(element("span", "", { class: "nbmlops-fact" }), value);
      pair.append(element("span", name, { class: "nbmlops-fact-name" }), " ", shown);
      return pair;
    }),
  );
  const notices = new Part(element("div", "", { class: "nbmlops-notices" }), (all) => all.map(noticeElement));
  const grid = element("div", "", { class: "nbmlops-sections" });
  /** @type {Map<string, SectionPart>} */
  const sections = new Map();
  panel.append(header, buttons.why, outcome.node, facts.node, notices.node, grid);
  el.append(panel);

  const draw = () => {
    const view = model.get("view");
    panel.dataset.tone = view.tone;
    const said = `${view.state} ${view.title}`;
    if (headline.dataset.said !== said) {
      headline.dataset.said = said;
      headline.replaceChildren(
        element("strong", view.state, { class: "nbmlops-state" }),
        element("bdi", view.title, { class: "nbmlops-title" }),
      );
    }
    if (detail.textContent !== view.detail) detail.textContent = view.detail;
    buttons.show(view);
    outcome.show(view.outcome);
    facts.show(view.facts);
    notices.show(view.notices);
    for (const section of view.sections) {
      const part = sections.get(section.key) ?? new SectionPart(section);
      part.show(section);
      sections.set(section.key, part);
    }
    const order = view.sections.map((section) => /** @type {SectionPart} */ (sections.get(section.key)).node);
    if (order.length !== grid.children.length || order.some((node, place) => node !== grid.children[place])) {
      grid.replaceChildren(...order);
    }
  };
  const ended = () => {
    buttons.gone = true;
    panel.dataset.gone = "true";
    buttons.say("The kernel is gone: this is how things stood last.");
    buttons.show(model.get("view"));
  };
  model.on("change:view", draw);
  model.on("comm:close", ended);
  draw();
  const lost = buttons.buttons.get(memory.focus);
  // The front end puts the panel into the page when this function has returned.
  if (lost) {
    window.setTimeout(() => {
      if (document.activeElement === document.body) lost.focus({ preventScroll: true });
    });
  }
  return () => {
    model.off("change:view", draw);
    model.off("comm:close", ended);
    window.clearTimeout(buttons.timer);
  };
}

export default { render };
