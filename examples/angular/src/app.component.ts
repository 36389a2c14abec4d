import { Component, computed, signal } from '@angular/core';
import { NewOrderComponent } from './new-order.component';
import { OrdersComponent } from './orders.component';
import { ROOMS, type Room } from './orders';

@Component({
  selector: 'app-root',
  imports: [NewOrderComponent, OrdersComponent],
  template: `
    <main class="sheet">
      <header class="head">
        <h1>Orders</h1>
        <p>An Angular service for one event stream: another room is another URL, and what is hidden has no connection.</p>
      </header>
      <nav class="row" aria-label="Room">
        @for (name of names; track name) {
          <button type="button" class="button" [attr.aria-pressed]="room() === name" (click)="room.set(name)">
            {{ titles[name] }}
          </button>
        }
        <button type="button" class="button apart" (click)="isShown.set(!isShown())">
          {{ isShown() ? 'Hide' : 'Show' }}<span class="sr"> the list</span>
        </button>
      </nav>
      @if (isShown()) {
        <app-orders [room]="room()" />
      }
      <app-new-order [room]="counter()" />
    </main>
  `,
})
export class AppComponent {
  protected readonly titles = ROOMS;
  protected readonly names = Object.keys(ROOMS) as Room[];
  protected readonly room = signal<Room>('kitchen');
  protected readonly isShown = signal(true);
  protected readonly counter = computed(() => (this.room() === 'bar' ? 'bar' : 'kitchen'));
}
