'use strict';

// The notifications of all users, in one table of an SQLite file. Node has SQLite from 22.13 on; for Node 20 there is the package
// libsql, with the same calls (and so has better-sqlite3). All of them answer at once, so that no request comes in between.

const KEPT = 500; // per user, the newest; read or not

const SCHEMA = `
  pragma busy_timeout = 2000; -- ms, when another process has the file, too
  pragma journal_mode = wal;
  create table if not exists notifications (
    id integer primary key,
    user text not null,
    title text not null,
    text text not null,
    at integer not null, -- ms
    read integer not null default 0
  );
  create index if not exists by_user on notifications (user, id);`;

function openDatabase(file) {
  let Database;
  try {
    Database = require('node:sqlite').DatabaseSync;
  } catch {
    Database = require('libsql');
  }
  return new Database(file);
}

const asNotification = ({ id, title, text, at, read }) => ({
  id,
  title,
  text,
  at,
  read: read === 1,
});

class Store {
  constructor(file) {
    this._db = openDatabase(file);
    this._db.exec(SCHEMA);
    const sql = (text) => this._db.prepare(text);
    this._insert = sql('insert into notifications (user, title, text, at) values (?, ?, ?, ?)');
    this._trim = sql(`delete from notifications where user = ? and id <=
      (select id from notifications where user = ? order by id desc limit 1 offset ${KEPT})`);
    this._latest = sql('select * from notifications where user = ? order by id desc limit ?');
    this._unread = sql('select count(*) as n from notifications where user = ? and read = 0');
    this._read = sql('update notifications set read = 1 where user = ? and id between ? and ?');
  }

  /** @returns what was stored, with its id */
  add(user, { title, text }) {
    const at = Date.now();
    const { lastInsertRowid } = this._insert.run(user, title, text, at);
    this._trim.run(user, user);
    return { id: Number(lastInsertRowid), title, text, at, read: false };
  }

  /** The newest first. */
  latest(user, count) {
    return this._latest.all(user, count).map(asNotification);
  }

  unread(user) {
    return this._unread.get(user).n;
  }

  /** Those from id `first` to id `last`; other users' stay as they are. */
  markRead(user, first, last) {
    this._read.run(user, first, last);
  }

  close() {
    this._db.close();
  }
}

module.exports = { Store };
