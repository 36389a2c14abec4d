'use strict';

// What looks.js asks inside the page. One function without outer names: it travels to the browser as text.

/** @returns {string[]} what is wrong with the page as it stands, in this size and scheme */
function audit({ over }) {
  const CONTROLS = `a[href], button, input:not([type=hidden]), select, textarea, summary,
    [role=button], [role=link], [role=tab], [role=checkbox], [role=switch], [role=option], [role=menuitem]`;
  const FIELDS = 'input, select, textarea';
  const NO_TEXT = 'script, style, noscript, template, title, option, textarea, select';
  const SMALLEST = 24;
  const root = document.documentElement;
  const problems = new Set();

  const once = (make, kept = new Map()) => {
    return (key) => {
      if (!kept.has(key)) kept.set(key, make(key));
      return kept.get(key);
    };
  };
  const style = once((element) => getComputedStyle(element));
  const parents = once((element) => {
    const above = element.parentElement ?? element.getRootNode().host;
    return above ? [element, ...parents(above)] : [element];
  });
  const short = (text) => {
    const line = text.replace(/\s+/g, ' ').trim();
    return line.length > 40 ? `${line.slice(0, 40)}…` : line;
  };
  function nameOf(element) {
    const id = element.id && `#${element.id}`;
    const classes = [...element.classList].map((name) => `.${name}`).join('');
    const text = short(element.textContent || element.getAttribute('aria-label') || '');
    return `<${element.localName}${id}${classes}>${text && ` "${text}"`}`;
  }

  // ---- What can be seen, and where

  /** Screen-reader texts and closed drawers: a box of a pixel or less that hides the rest. */
  const isTuckedAway = once((element) => {
    const { overflowX, overflowY, clipPath, display } = style(element);
    if (clipPath === 'inset(50%)') return true;
    if (display === 'inline' || display === 'contents') return false;
    const { width, height } = element.getBoundingClientRect();
    return (overflowX !== 'visible' && width <= 1) || (overflowY !== 'visible' && height <= 1);
  });
  const isVisible = once((element) => {
    const shown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    return shown && !parents(element).some(isTuckedAway);
  });

  /** The elements that may clip what is at `element`, from the inside out. */
  function clippersOf(element, withItself) {
    const list = [];
    let skipping = false; // ancestors that an absolute box does not belong to
    for (const each of parents(element)) {
      if (each === root || each === document.body) break;
      const { position, transform, overflowX, overflowY, display } = style(each);
      if (skipping && position === 'static' && transform === 'none') continue;
      const clips = (overflowX !== 'visible' || overflowY !== 'visible') && display !== 'inline';
      if (clips && (withItself || each !== element)) list.push(each);
      if (position === 'fixed') break;
      skipping = position === 'absolute';
    }
    return list;
  }

  /** The part of a rectangle that shows, null for none; says what is cut. */
  function seen(element, rect, withItself, name) {
    let { left, top, right, bottom } = rect;
    const slack = withItself ? 0.25 * Number.parseFloat(style(element).fontSize) + 1 : 2;
    for (const each of clippersOf(element, withItself)) {
      const { overflowX, overflowY, textOverflow, webkitLineClamp } = style(each);
      const outer = each.getBoundingClientRect();
      const box = { left: outer.left + each.clientLeft, top: outer.top + each.clientTop };
      box.right = box.left + each.clientWidth;
      box.bottom = box.top + each.clientHeight;
      const hides = (mode) => mode === 'hidden' || mode === 'clip';
      const clamped = webkitLineClamp !== 'none';
      const cutX = left < box.left - 1 || right > box.right + 1;
      const cutY = top < box.top - slack || bottom > box.bottom + slack;
      const meant = textOverflow === 'ellipsis' || clamped;
      if ((hides(overflowX) && cutX && !meant) || (hides(overflowY) && cutY && !clamped)) {
        problems.add(`${name} is cut by ${each === element ? 'its own box' : nameOf(each)}`);
      }
      if (overflowX !== 'visible') {
        left = Math.max(left, box.left);
        right = Math.min(right, box.right);
      }
      if (overflowY !== 'visible') {
        top = Math.max(top, box.top);
        bottom = Math.min(bottom, box.bottom);
      }
      if (right - left < 1 || bottom - top < 1) return null;
    }
    if (left < -1 || right > innerWidth + 1) problems.add(`${name} is outside the window`);
    const stuck = [root, document.body].some((each) => style(each).overflowY === 'hidden');
    if (stuck && (bottom > innerHeight + slack || top < -slack)) {
      problems.add(`${name} is below the window, which does not scroll`);
    }
    return { left, top, right, bottom };
  }

  /** What floats over the rest on purpose is compared with its like only. */
  const layerOf = (element) =>
    parents(element).find(
      (each) =>
        ['fixed', 'sticky'].includes(style(each).position) ||
        each.matches('dialog, [popover]') ||
        (over && each.matches(over)),
    );

  /** The middle of a line of text: the boxes of close lines touch, their letters do not. */
  function letters({ left, top, right, bottom }) {
    const trim = (bottom - top) * 0.18;
    return { left, right, top: top + trim, bottom: bottom - trim };
  }

  // ---- Colours

  const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const brush = canvas.getContext('2d', { willReadFrequently: true });
  const rgba = once((colour) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  });
  const mix = (top, below, share) => [0, 1, 2].map((i) => top[i] * share + below[i] * (1 - share));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.createElement('div');
  probe.style.cssText = 'background: Canvas; display: none';
  root.append(probe);
  const paper = rgba(getComputedStyle(probe).backgroundColor);
  probe.remove();

  /** The colours of a text and of what is behind it, as painted; null where an image is behind it. */
  function painted(layers, colour) {
    let unknown = false;
    const paint = (at, backdrop) => {
      const { backgroundColor, backgroundImage, opacity } = layers[at];
      const own = rgba(backgroundColor);
      if (own[3] === 1) unknown = false;
      if (backgroundImage !== 'none') unknown = true;
      const behind = mix(own, backdrop, own[3]);
      const ink = rgba(colour);
      const last = at === layers.length - 1;
      const pair = last ? [behind, mix(ink, behind, ink[3])] : paint(at + 1, behind);
      return pair.map((each) => mix(each, backdrop, Number(opacity)));
    };
    const [back, front] = paint(0, paper);
    return unknown ? null : { back, front };
  }

  function checkContrast(element, text, colour, name, pseudo) {
    if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(text) || /^[\p{Extended_Pictographic}\s]+$/u.test(text)) {
      return;
    }
    if (element.closest(':disabled, [aria-disabled=true]')) return;
    const layers = parents(element).toReversed().map(style);
    if (pseudo) layers.push(pseudo);
    const pair = painted(layers, colour);
    if (!pair) return;
    const [dark, light] = [luminance(pair.back), luminance(pair.front)].sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    const { fontSize, fontWeight } = pseudo ?? style(element);
    const size = Number.parseFloat(fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
    const wanted = isLarge || !/[\p{L}\p{N}]/u.test(text) ? 3 : 4.5;
    if (ratio >= wanted - 0.05) return;
    problems.add(`${name} has a contrast of ${ratio.toFixed(2)}, less than ${wanted}`);
  }

  // ---- Texts

  const items = []; // { element, name, rect, isText, layer }
  const colourOf = (element) =>
    element instanceof SVGElement ? style(element).fill : style(element).color;

  function checkText(node) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest(NO_TEXT) || !isVisible(element)) return;
    const name = `${nameOf(element).replace(/ ".*/s, '')} "${short(node.data)}"`;
    checkContrast(element, node.data, colourOf(element), name);
    const range = document.createRange();
    range.selectNodeContents(node);
    const control = element.closest(CONTROLS);
    for (const rect of range.getClientRects()) {
      if (rect.width < 1 || rect.height < 1) continue;
      const part = seen(element, rect, true, name);
      if (!part) continue;
      if (!control || style(control).display === 'inline') {
        items.push({ element, name, rect: letters(part), isText: true, layer: layerOf(element) });
        continue; // in a button, the button's box speaks for it
      }
      const box = control.getBoundingClientRect();
      if (part.left < box.left - 2 || part.right > box.right + 2) {
        problems.add(`${name} sticks out of ${nameOf(control)}`);
      }
    }
  }

  function checkGenerated(element) {
    for (const which of ['::before', '::after']) {
      const own = getComputedStyle(element, which);
      const text = /^"(.*)"/s.exec(own.content)?.[1];
      if (!text || own.display === 'none') continue;
      checkContrast(element, text, own.color, `${nameOf(element)}${which}`, own);
    }
  }

  // ---- Controls and images

  const ownWords = (element) =>
    element.getAttribute('aria-label') ||
    (element.getAttribute('aria-labelledby') ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent ?? '')
      .join('') ||
    element.getAttribute('title') ||
    '';
  const words = (element) =>
    ownWords(element) ||
    element.textContent ||
    [...element.querySelectorAll('img[alt]')].map((image) => image.alt).join('');

  function checkField(element, name) {
    const labels = [...(element.labels ?? [])].map((label) => label.textContent).join('');
    const isButton = ['submit', 'button', 'reset', 'image'].includes(element.type);
    const says = isButton ? element.value || element.alt : labels;
    if (!(ownWords(element) || says).trim()) problems.add(`${name} has no label`);

    const hint = !element.value && element.placeholder;
    if (isButton || !(hint || element.value)) return;
    const colour = hint ? getComputedStyle(element, '::placeholder').color : style(element).color;
    checkContrast(
      element,
      hint || element.value,
      colour,
      `${name} "${short(hint || element.value)}"`,
    );
    if (!hint || element.matches('textarea')) return;
    const { font, paddingLeft, paddingRight } = style(element);
    brush.font = font;
    const room =
      element.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
    if (brush.measureText(hint).width > room + 1) {
      problems.add(`${name} cuts its placeholder "${hint}"`);
    }
  }

  /** What can be hit: a box and the labels that stand for it. */
  function sizeOf(element) {
    const boxes = [element, ...(element.labels ?? [])].map((each) => each.getBoundingClientRect());
    const isTick = element.matches('[type=checkbox], [type=radio]');
    const counted = isTick ? boxes : boxes.slice(0, 1);
    const most = (side) => Math.max(...counted.map((box) => box[side]));
    return { width: most('width'), height: most('height') };
  }

  function checkControl(element) {
    if (!isVisible(element)) return;
    const name = nameOf(element);
    const isField = element.matches(FIELDS);
    if (isField) checkField(element, name);
    else if (!words(element).trim()) problems.add(`${name} has no words`);

    const isInline = style(element).display === 'inline' && !isField;
    const { width, height } = sizeOf(element);
    if (!isInline && (width < SMALLEST - 0.5 || height < SMALLEST - 0.5)) {
      const size = `${Math.round(width)} × ${Math.round(height)}`;
      problems.add(`${name} is ${size} px, less than ${SMALLEST} × ${SMALLEST}`);
    }
    for (const rect of element.getClientRects()) {
      const part = seen(element, rect, false, name);
      if (!part) continue;
      const shape = isInline ? letters(part) : part;
      items.push({ element, name, rect: shape, isText: false, layer: layerOf(element) });
    }
  }

  function checkImage(element) {
    if (element.matches('img') ? element.hasAttribute('alt') : ownWords(element)) return;
    const title = element.querySelector('title')?.textContent;
    if (!title) problems.add(`${nameOf(element)} has no text in its place`);
  }

  // ---- Overlap

  const holds = (outer, inner) =>
    outer.left <= inner.left + 1 &&
    outer.right >= inner.right - 1 &&
    outer.top <= inner.top + 1 &&
    outer.bottom >= inner.bottom - 1;

  function belongTogether(a, b) {
    if (a.element === b.element || a.layer !== b.layer) return true;
    if (a.isText && b.isText) return false;
    const [control, other] = a.isText ? [b, a] : [a, b];
    if (control.element.contains(other.element)) return true;
    if (!other.isText && other.element.contains(control.element)) return true;
    const isInField = (field, inner) =>
      field.element.matches(FIELDS) && holds(field.rect, inner.rect);
    return isInField(control, other) || isInField(other, control);
  }

  function checkOverlap() {
    items.sort((a, b) => a.rect.top - b.rect.top);
    items.forEach((a, at) => {
      for (let i = at + 1; i < items.length; i += 1) {
        const b = items[i];
        if (b.rect.top >= a.rect.bottom - 2) break;
        const wide = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
        const high = Math.min(a.rect.bottom, b.rect.bottom) - b.rect.top;
        if (wide <= 2 || high <= 2 || belongTogether(a, b)) continue;
        const size = `${Math.round(wide)} × ${Math.round(high)} px`;
        problems.add(`${a.name} and ${b.name} overlap by ${size}`);
      }
    });
  }

  // ---- The page

  if (!document.title) problems.add('the page has no title');
  if (!root.lang) problems.add('<html> does not say its language');
  if (root.scrollWidth > innerWidth) {
    problems.add(`the page is ${root.scrollWidth} px wide and scrolls sideways`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) checkText(texts.currentNode);
  for (const element of document.body.querySelectorAll('*')) {
    if (isVisible(element)) checkGenerated(element);
    if (element.matches(CONTROLS)) checkControl(element);
    if (element.matches('img, svg[role=img], canvas[role=img]')) checkImage(element);
  }
  checkOverlap();
  return [...problems];
}

module.exports = { audit };
