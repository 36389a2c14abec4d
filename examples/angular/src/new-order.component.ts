import { Component, input, signal } from '@angular/core';
import { type Order, place } from './orders';

@Component({
  selector: 'app-new-order',
  template: `
    <form #form class="card order" (submit)="send($event, form, table.value, what.value)">
      <h2>New order for the {{ room() }}</h2>
      <div class="row">
        <label>
          Table
          <input #table class="field" name="table" maxlength="12" autocomplete="off" required />
        </label>
        <label class="grow">
          What
          <input #what class="field" name="what" maxlength="60" autocomplete="off" required />
        </label>
        <button type="submit" class="button main">Order</button>
      </div>
      @if (problem()) {
        <p role="alert">{{ problem() }}</p>
      }
    </form>
  `,
})
export class NewOrderComponent {
  readonly room = input.required<Order['room']>();
  protected readonly problem = signal('');

  protected async send(event: Event, form: HTMLFormElement, table: string, what: string) {
    event.preventDefault();
    try {
      await place({ room: this.room(), table, what });
      form.reset();
      this.problem.set('');
    } catch (error) {
      this.problem.set((error as Error).message);
    }
  }
}
