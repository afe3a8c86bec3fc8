"use strict";

/* Draws the graph on a canvas; knows where things stand, and nothing of what they say beyond their titles. */
class Picture {
  static SMALLEST = 0.02;
  static LARGEST = 4;
  static FAINT = 0.13;
  static DASHES = { except: [2, 3], conflicts_with: [6, 4] };

  constructor(canvas, data, choose) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.data = data;
    this.choose = choose;
    this.shown = data.nodes.map(() => true);
    this.chosen = null;
    this.scale = 1;
    this.left = 0; // of the screen, in units of the picture
    this.top = 0;
    this.due = false;
    this.touched = false;
    this.lines = new Map();
    this.fingers = new Map();
    this.readColours();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.readColours(); this.draw(); });
    this.resize(); // its observer reports only after the first frame, when a node may be looked for already
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.listen();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ground", "paper", "ink", "soft", "rule", "validated", "held", "proposed", "retired", "case",
      "ground-node", "refines", "except", "supports", "conflicts", "chosen"];
    this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.colours.conflicts_with = this.colours.conflicts;
    this.colours.derived_from = this.colours.applies_to = this.colours.soft;
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.width, this.height];
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    if (!this.touched) return this.fit();
    this.left += (width - this.width) / 2 / this.scale; // what stands in the middle stays there
    this.top += (height - this.height) / 2 / this.scale;
    this.draw();
  }

  show(shown) { this.shown = shown; this.draw(); }

  select(number, follow) {
    this.chosen = number;
    if (number !== null && follow) {
      const [x, y, width, height] = this.data.nodes[number].at;
      this.touched = true;
      this.scale = Math.max(this.scale, 0.8);
      this.left = x + Math.min(width, 300) / 2 - this.width / 2 / this.scale;
      this.top = y + height / 2 - this.height / 2 / this.scale;
    }
    this.draw();
  }

  fit() {
    const [width, height] = this.data.size;
    this.scale = Math.min(1.5, Math.max(Picture.SMALLEST, Math.min(this.width / width, this.height / height)));
    this.left = (width - this.width / this.scale) / 2;
    this.top = (height - this.height / this.scale) / 2;
    this.draw();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const scale = Math.min(Picture.LARGEST, Math.max(Picture.SMALLEST, this.scale * factor));
    this.left += x / this.scale - x / scale;
    this.top += y / this.scale - y / scale;
    this.scale = scale;
    this.touched = true;
    this.draw();
  }

  pan(x, y) {
    this.left += x / this.scale;
    this.top += y / this.scale;
    this.touched = true;
    this.draw();
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const step = event.deltaMode === 1 ? 30 : 1;
      this.zoom(Math.exp(-event.deltaY * step * 0.0015), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, event);
      this.moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    canvas.addEventListener("pointerup", (event) => {
      if (this.fingers.size === 1 && this.moved < 5) this.choose(this.at(event.offsetX, event.offsetY));
      this.fingers.delete(event.pointerId);
    });
    canvas.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId));
    canvas.addEventListener("keydown", (event) => {
      const keys = {
        ArrowLeft: () => this.pan(-60, 0), ArrowRight: () => this.pan(60, 0), ArrowUp: () => this.pan(0, -60),
        ArrowDown: () => this.pan(0, 60), "+": () => this.zoom(1.3), "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3),
        0: () => this.fit(),
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    this.fingers.set(event.pointerId, event);
    this.moved += Math.abs(event.offsetX - before.offsetX) + Math.abs(event.offsetY - before.offsetY);
    if (!other) {
      this.pan(before.offsetX - event.offsetX, before.offsetY - event.offsetY);
      return;
    }
    const apart = (finger) => Math.hypot(finger.offsetX - other.offsetX, finger.offsetY - other.offsetY) || 1;
    this.zoom(apart(event) / apart(before), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
  }

  at(screenX, screenY) {
    const x = this.left + screenX / this.scale;
    const y = this.top + screenY / this.scale;
    const found = this.data.nodes.findIndex((node, number) => {
      const [left, top, width, height] = node.at;
      return this.shown[number] && x >= left && x <= left + width && y >= top && y <= top + height;
    });
    return found < 0 ? null : found;
  }

  draw() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.paint(); });
  }

  paint() {
    const { pen, scale } = this;
    const ratio = devicePixelRatio || 1;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.colours.ground;
    pen.fillRect(0, 0, this.width, this.height);
    pen.setTransform(ratio * scale, 0, 0, ratio * scale, -this.left * scale * ratio, -this.top * scale * ratio);
    for (const box of this.data.boxes) if (this.inView(box.at)) this.paintBox(box);
    this.data.nodes.forEach((node, number) => {
      if ((node.kind === "rule" || node.kind === "case") && this.inView(node.at)) this.paintCard(node, number);
    });
    for (const edge of this.data.edges) this.paintEdge(edge);
    if (this.chosen !== null) this.paintChosen();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const box of this.data.boxes) if (this.inView(box.at)) this.paintTitle(box);
  }

  inView([x, y, width, height]) {
    return x < this.left + this.width / this.scale && x + width > this.left
      && y < this.top + this.height / this.scale && y + height > this.top;
  }

  paintBox({ at: [x, y, width, height], depth }) {
    const { pen, colours } = this;
    pen.fillStyle = depth % 2 ? colours.ground : colours.paper;
    pen.fillRect(x, y, width, height);
    pen.lineWidth = Math.max(1, 1 / this.scale);
    pen.strokeStyle = colours.rule;
    pen.strokeRect(x, y, width, height);
  }

  paintTitle({ title, at: [x, y, width], depth, head }) {
    const { pen, colours, scale } = this;
    const size = Math.min(20, Math.max(11, head * scale * 0.55));
    const room = width * scale - 12;
    if (room < 40 || (depth > 0 && head * scale < 6)) return;
    pen.font = `${depth === 0 ? 700 : 600} ${size}px system-ui, sans-serif`;
    const text = this.clipped(title, room);
    const left = Math.max((x - this.left) * scale, 0) + 5;
    const top = (y - this.top) * scale;
    pen.globalAlpha = 0.85;
    pen.fillStyle = depth % 2 ? colours.ground : colours.paper;
    if (head * scale < size) pen.fillRect(left - 2, top + 1, pen.measureText(text).width + 4, size + 2);
    pen.globalAlpha = 1;
    pen.fillStyle = colours.ink;
    pen.textBaseline = "top";
    pen.fillText(text, left, top + Math.max(1, (head * scale - size) / 2));
  }

  paintCard(node, number) {
    const { pen, scale } = this;
    const [x, y, width, height] = node.at;
    const colour = this.colours[node.look];
    pen.globalAlpha = this.shown[number] ? 1 : Picture.FAINT;
    pen.fillStyle = node.look === "validated" && scale < 0.5 ? colour : this.colours.paper;
    pen.strokeStyle = colour;
    pen.lineWidth = Math.max(1.5, 1 / scale) + (node.severity === 3 ? 1.5 : 0);
    pen.setLineDash({ proposed: [7, 4], retired: [2, 4] }[node.look] ?? []);
    pen.beginPath();
    pen.roundRect(x, y, width, height, node.kind === "case" ? height / 2 : 4);
    pen.fill();
    pen.stroke();
    pen.setLineDash([]);
    if (scale >= 0.5) this.paintWords(node, number);
    pen.globalAlpha = 1;
  }

  paintWords(node, number) {
    const { pen } = this;
    const [x, y, width] = node.at;
    if (!this.lines.has(number)) this.lines.set(number, this.wrapped(node, width - 16));
    const [title, ...rest] = this.lines.get(number);
    pen.textBaseline = "top";
    pen.fillStyle = this.colours[node.look];
    pen.fillRect(x, y + 4, 4, 36);
    pen.fillStyle = this.colours.ink;
    pen.font = "600 11px system-ui, sans-serif";
    pen.fillText(title, x + 9, y + 4);
    pen.font = "9px system-ui, sans-serif";
    pen.fillStyle = this.colours.soft;
    rest.forEach((line, row) => pen.fillText(line, x + 9, y + 18 + row * 11));
  }

  wrapped(node, room) {
    const { pen } = this;
    pen.font = "600 11px system-ui, sans-serif";
    const lines = [this.clipped(node.id, room)];
    pen.font = "9px system-ui, sans-serif";
    const words = node.text.slice(0, 200).split(/\s+/);
    let line = words.shift();
    while (words.length && pen.measureText(`${line} ${words[0]}`).width <= room) line += ` ${words.shift()}`;
    lines.push(this.clipped(line, room));
    if (words.length) lines.push(this.clipped(words.join(" "), room));
    return lines;
  }

  clipped(text, room) {
    if (this.pen.measureText(text).width <= room) return text;
    let low = 0;
    let high = Math.min(text.length, 200);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pen.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle; else high = middle - 1;
    }
    return `${text.slice(0, low)}…`;
  }

  paintEdge([source, target, kind]) {
    const own = source === this.chosen || target === this.chosen;
    // That a rule stands in the box of its principle and scenario says the same as these edges.
    if (!own && (kind === "derived_from" || kind === "applies_to")) return;
    const { pen } = this;
    const [a, b] = [this.data.nodes[source].at, this.data.nodes[target].at];
    const from = [a[0] + Math.min(a[2], 150) / 2, a[1] + a[3] / 2];
    const to = [b[0] + Math.min(b[2], 150) / 2, b[1] + b[3] / 2];
    const box = [Math.min(from[0], to[0]) - 60, Math.min(from[1], to[1]) - 60,
      Math.abs(from[0] - to[0]) + 120, Math.abs(from[1] - to[1]) + 120];
    if (!this.inView(box)) return;
    const bend = [(from[0] + to[0]) / 2 + (to[1] - from[1]) * 0.15, (from[1] + to[1]) / 2 - (to[0] - from[0]) * 0.15];
    const far = this.chosen !== null && !own;
    pen.globalAlpha = this.shown[source] && this.shown[target] ? (far ? 0.35 : 0.9) : Picture.FAINT;
    pen.strokeStyle = pen.fillStyle = this.colours[kind];
    pen.lineWidth = (own ? 2.5 : 1.4) / Math.min(1, this.scale * 1.4);
    pen.setLineDash((Picture.DASHES[kind] ?? []).map((length) => length / Math.min(1, this.scale)));
    pen.beginPath();
    pen.moveTo(...from);
    pen.quadraticCurveTo(...bend, ...to);
    pen.stroke();
    pen.setLineDash([]);
    if (this.scale > 0.2) this.paintTip(bend, to);
    pen.globalAlpha = 1;
  }

  paintTip([fromX, fromY], [x, y]) {
    const angle = Math.atan2(y - fromY, x - fromX);
    const size = 8 / Math.min(1, this.scale * 1.2);
    const { pen } = this;
    pen.beginPath();
    pen.moveTo(x, y);
    for (const side of [-0.4, 0.4]) pen.lineTo(x - size * Math.cos(angle + side), y - size * Math.sin(angle + side));
    pen.fill();
  }

  paintChosen() {
    const [x, y, width, height] = this.data.nodes[this.chosen].at;
    this.pen.strokeStyle = this.colours.chosen;
    this.pen.lineWidth = 3 / Math.min(1, this.scale);
    this.pen.strokeRect(x - 3, y - 3, width + 6, height + 6);
  }
}
