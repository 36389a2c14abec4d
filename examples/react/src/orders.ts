// What the stream of the café has, and what becomes of it.

import type { StreamEvent } from './useEventSource';

export const ROOMS = { kitchen: 'Kitchen', bar: 'Bar', office: 'Office' };
export type Room = keyof typeof ROOMS;

export interface Order {
  id: number;
  room: 'kitchen' | 'bar';
  table: string;
  what: string;
}

export interface Events {
  orders: Order[];
  order: Order;
  done: number;
}

export function withEvent(orders: Order[], event: StreamEvent<Events>): Order[] {
  switch (event.type) {
    case 'orders':
      return event.data;
    case 'order':
      return [...orders, event.data];
    case 'done':
      return orders.filter(({ id }) => id !== event.data);
    default:
      return orders; // fanline:reset: `orders` comes next
  }
}

async function ask(method: string, path: string, body?: object): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error((await answer.json()).error);
}

export const place = (order: Omit<Order, 'id'>) => ask('POST', '/orders', order);
export const finish = (id: number) => ask('DELETE', `/orders/${id}`);
