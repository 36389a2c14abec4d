import { type FormEvent, useState } from 'react';
import { type Events, finish, type Order, place, ROOMS, type Room, withEvent } from './orders';
import { type Stream, useEventSource } from './useEventSource';

export function App() {
  const [room, setRoom] = useState<Room>('kitchen');
  const [isShown, setShown] = useState(true);
  return (
    <main className="sheet">
      <header className="head">
        <h1>Orders</h1>
        <p>
          A React hook for one event stream: another room is another URL, and what is hidden has no
          connection.
        </p>
      </header>
      <nav className="row" aria-label="Room">
        {Object.entries(ROOMS).map(([name, title]) => (
          <button
            key={name}
            type="button"
            className="button"
            aria-pressed={room === name}
            onClick={() => setRoom(name as Room)}
          >
            {title}
          </button>
        ))}
        <button type="button" className="button apart" onClick={() => setShown(!isShown)}>
          {isShown ? 'Hide' : 'Show'}
          <span className="sr"> the list</span>
        </button>
      </nav>
      {isShown && <Orders room={room} />}
      <NewOrder key={room} room={room === 'bar' ? 'bar' : 'kitchen'} />
    </main>
  );
}

function Orders({ room }: { room: Room }) {
  const [pin, setPin] = useState('');
  const stream = useEventSource<Events, Order[]>(`/events/${room}`, {
    events: ['orders', 'order', 'done'],
    reduce: withEvent,
    initial: [],
    headers: pin ? { Authorization: `Bearer ${pin}` } : undefined,
    silence: 45_000,
  });
  const { state, value: orders, error, reconnect } = stream;

  function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setPin(String(new FormData(event.currentTarget).get('pin')));
    reconnect();
  }

  return (
    <section className="card" aria-label={ROOMS[room]}>
      <div className="row">
        <h2 className="grow">{ROOMS[room]}</h2>
        <State state={state} status={error?.status} />
      </div>
      {error?.status === 401 ? (
        <form className="row ask" onSubmit={enter}>
          <label className="grow">
            The office has a PIN. It is 1234.
            <input className="field" name="pin" inputMode="numeric" autoComplete="off" required />
          </label>
          <button type="submit" className="button main">
            Open
          </button>
        </form>
      ) : (
        <ul className="orders">
          {orders.map(({ id, table, what, room: from }) => (
            <li key={id}>
              <span className="badge">{table}</span>
              <span className="grow">{what}</span>
              {room === 'office' && <span className="soft small">{ROOMS[from]}</span>}
              <button type="button" className="button" onClick={() => finish(id)}>
                Done<span className="sr"> with {what}</span>
              </button>
            </li>
          ))}
          {orders.length === 0 && <li className="soft">Nothing to do.</li>}
        </ul>
      )}
    </section>
  );
}

function State({ state, status = 0 }: { state: Stream<unknown>['state']; status?: number }) {
  const texts = {
    connecting: 'Connecting',
    open: 'Live',
    closed: status === 401 ? 'Locked' : 'Ended',
  };
  const names = { connecting: 'connecting', open: 'live', closed: 'ended' };
  return (
    <p className="state" data-state={names[state]} role="status">
      {texts[state]}
    </p>
  );
}

function NewOrder({ room }: { room: Order['room'] }) {
  const [problem, setProblem] = useState('');

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const { table, what } = Object.fromEntries(new FormData(form)) as Record<string, string>;
    try {
      await place({ room, table, what });
      form.reset();
      setProblem('');
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  return (
    <form className="card order" onSubmit={send}>
      <h2>New order for the {room}</h2>
      <div className="row">
        <label>
          Table
          <input className="field" name="table" maxLength={12} autoComplete="off" required />
        </label>
        <label className="grow">
          What
          <input className="field" name="what" maxLength={60} autoComplete="off" required />
        </label>
        <button type="submit" className="button main">
          Order
        </button>
      </div>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
