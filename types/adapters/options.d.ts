import type { Hub, HubOptions } from '../index.js';

/** What the adapters that own a hub are told. */
export interface AdapterOptions {
  /** A hub that there is, or the options of one to be made. Default: one with the default options. */
  hub?: Hub<any, any> | HubOptions | undefined;
  /**
   * ms that the hub is given to end its streams when the application closes: see `Hub.close`.
   * Default 10 000. `false`: the application does not close the hub.
   */
  grace?: number | false | undefined;
}
