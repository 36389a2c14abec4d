// Names, numbers and times as a person reads them.

const MANNERS = 'Quiet Sunny Brave Gentle Swift Curious Mellow Bright Patient Merry'.split(' ');
const ANIMALS = 'Otter Heron Fox Badger Wren Lynx Hare Robin Seal Owl Finch Marten'.split(' ');
const pick = (words) => words[Math.floor(Math.random() * words.length)];

export function inventName() {
  return `${pick(MANNERS)} ${pick(ANIMALS)}`;
}

export function initials(name) {
  const letters = name.split(/\s+/).map((word) => [...word][0] ?? '');
  return letters.slice(0, 2).join('').toUpperCase();
}

export function people(count) {
  return count === 1 ? '1 person' : `${count} people`;
}

export function seconds(ms) {
  const whole = Math.max(1, Math.round(ms / 1000));
  return whole < 120 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}
