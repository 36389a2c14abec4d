import type { DynamicModule, ModuleMetadata } from '@nestjs/common';
import type { DefaultEvents, EventMap, Hub } from '../index.js';
import type { AdapterOptions } from './options.js';

export type { AdapterOptions } from './options.js';

export interface ModuleOptions extends AdapterOptions {
  /** Every module may inject the hub without importing this one. Default true. */
  isGlobal?: boolean | undefined;
}

export interface AsyncModuleOptions {
  imports?: ModuleMetadata['imports'] | undefined;
  /** Tokens of what `useFactory` is called with. */
  inject?: any[] | undefined;
  useFactory: (...found: any[]) => AdapterOptions | Promise<AdapterOptions>;
  /** As in `ModuleOptions`. */
  isGlobal?: boolean | undefined;
}

/**
 * Provides a hub to each application made of it, and closes it in `beforeApplicationShutdown`: behind
 * every `onModuleDestroy`, and before the server waits for open answers.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: what a module is in Nest
export declare class FanlineModule {
  /** Bad options are `ERR_FAN_OPTION` when the application is made. */
  static forRoot(options?: ModuleOptions): DynamicModule;
  /** @throws TypeError `ERR_FAN_OPTION`; what `useFactory` answers is looked at when the application is made */
  static forRootAsync(options: AsyncModuleOptions): DynamicModule;
}

/** The token and the type of the hub: `constructor(private readonly hub: FanlineHub) {}`. */
export declare abstract class FanlineHub<Events extends EventMap = DefaultEvents, Data = any> {
  private constructor();
}
export interface FanlineHub<Events extends EventMap = DefaultEvents, Data = any>
  extends Hub<Events, Data> {}
