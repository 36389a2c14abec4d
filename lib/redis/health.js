'use strict';

// There are two connections, the application's and the tail's, and either may fail alone: the engine is there when both are.

class Health {
  /** @param {(state: 'ready'|'down', error?: Error) => void} tell once per change, and for each other reason */
  constructor(tell) {
    this._tell = tell;
    this._tail = { isUp: false, error: null }; // not yet known
    this._writing = null; // why the application's connection does not answer
    this._told = null;
  }

  /** @param {'ready'|'down'} state of what is read */
  reading(state, error) {
    this._tail = { isUp: state === 'ready', error: error ?? null };
    this._settle();
  }

  /** @param {Error|null} error of a heartbeat; null: it was answered */
  writing(error) {
    this._writing = error;
    this._settle();
  }

  /** Something was accepted. That mends no error that waiting does not mend: it was told of something else. */
  accepted() {
    if (this._writing?.isFinal !== true) this.writing(null);
  }

  /** Why nothing can be read, if waiting will not mend it: then it mends nothing for what is written, either. */
  get worst() {
    return this._tail.error?.isFinal === true ? this._tail.error : null;
  }

  _settle() {
    const error = this._tail.error ?? this._writing;
    if (error === null && !this._tail.isUp) return;
    const told = error?.message ?? 'ready';
    if (told === this._told) return;
    this._told = told;
    if (error === null) this._tell('ready');
    else this._tell('down', error);
  }
}

module.exports = { Health };
