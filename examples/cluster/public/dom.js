export const $ = (id) => document.getElementById(id);

export function element(tag, properties = {}, children = []) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function showTime(at) {
  const date = new Date(at);
  return element('time', {
    dateTime: date.toISOString(),
    textContent: date.toLocaleTimeString([], {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    }),
  });
}

/** The newest is on top; only so many stay. */
export function addLine(list, children, most) {
  const item = element('li', {}, children);
  list.prepend(item);
  while (list.children.length > most) list.lastChild.remove();
  return item;
}
