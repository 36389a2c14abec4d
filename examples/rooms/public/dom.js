// The elements that the page is made of. What people write gets in as text, never as HTML.

import { initials } from './words.js';

export const $ = (id) => document.getElementById(id);

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children); // strings become text nodes
  return made;
}

export function avatar(name) {
  const made = element('span', 'avatar', initials(name));
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 3600, 7) / 10;
  made.style.setProperty('--hue', hue);
  made.setAttribute('aria-hidden', 'true');
  return made;
}

export function personIcon() {
  return $('person').content.cloneNode(true);
}
