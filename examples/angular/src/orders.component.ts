import { Component, computed, inject, input } from '@angular/core';
import { EventSourceService } from './event-source.service';
import { type Events, finish, type Order, ROOMS, type Room, withEvent } from './orders';

@Component({
  selector: 'app-orders',
  template: `
    <section class="card" [attr.aria-label]="titles[room()]">
      <div class="row">
        <h2 class="grow">{{ titles[room()] }}</h2>
        <p class="state" [attr.data-state]="shown().name" role="status">{{ shown().text }}</p>
      </div>
      @if (isLocked()) {
        <form class="row ask" (submit)="enter($event, field.value)">
          <label class="grow">
            The office has a PIN. It is 1234.
            <input #field class="field" name="pin" inputmode="numeric" autocomplete="off" required />
          </label>
          <button type="submit" class="button main">Open</button>
        </form>
      } @else {
        <ul class="orders">
          @for (order of stream.value(); track order.id) {
            <li>
              <span class="badge">{{ order.table }}</span>
              <span class="grow">{{ order.what }}</span>
              @if (room() === 'office') {
                <span class="soft small">{{ titles[order.room] }}</span>
              }
              <button type="button" class="button" (click)="finish(order.id)">
                Done<span class="sr"> with {{ order.what }}</span>
              </button>
            </li>
          } @empty {
            <li class="soft">Nothing to do.</li>
          }
        </ul>
      }
    </section>
  `,
})
export class OrdersComponent {
  readonly room = input.required<Room>();
  protected readonly titles = ROOMS;
  protected readonly finish = finish;
  private pin = '';

  protected readonly stream = inject(EventSourceService).stream<Events, Order[]>(
    () => `/events/${this.room()}`,
    {
      events: ['orders', 'order', 'done'],
      reduce: withEvent,
      initial: [],
      headers: () => (this.pin ? { Authorization: `Bearer ${this.pin}` } : undefined),
      silence: 45_000,
    },
  );

  protected readonly isLocked = computed(() => this.stream.error()?.status === 401);
  protected readonly shown = computed(() => {
    const state = this.stream.state();
    if (state === 'open') return { name: 'live', text: 'Live' };
    if (state === 'connecting') return { name: 'connecting', text: 'Connecting' };
    return { name: 'ended', text: this.isLocked() ? 'Locked' : 'Ended' };
  });

  protected enter(event: Event, pin: string) {
    event.preventDefault();
    this.pin = pin;
    this.stream.reconnect();
  }
}
