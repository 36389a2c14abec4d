// Nothing of Nest is imported: from version 12 on it is ES modules only, which TypeScript does not let a declaration refer to that
// `require` finds too. What is said here of modules fits its own types, of whatever version.

import type { DefaultEvents, EventMap, Hub } from '../index.js';
import type { AdapterOptions } from './options.js';

export type { AdapterOptions } from './options.js';

/** A class, as Nest has it for modules and providers. */
export type ModuleClass = new (...args: any[]) => any;

/** What a module may import: as `imports` of Nest's `@Module()`. */
export type ModuleImport =
  | ModuleClass
  | { module: ModuleClass }
  | Promise<{ module: ModuleClass }>
  | { forwardRef: any };

/** Nest's `DynamicModule`, for `imports` of `@Module()`. */
export interface FanlineDynamicModule {
  module: typeof FanlineModule;
  global: boolean;
  imports: any[];
  providers: any[];
  exports: any[];
}

export interface ModuleOptions extends AdapterOptions {
  /** Every module may inject the hub without importing this one. Default true. */
  isGlobal?: boolean | undefined;
}

export interface AsyncModuleOptions {
  imports?: ModuleImport[] | undefined;
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
  static forRoot(options?: ModuleOptions): FanlineDynamicModule;
  /** @throws TypeError `ERR_FAN_OPTION`; what `useFactory` answers is looked at when the application is made */
  static forRootAsync(options: AsyncModuleOptions): FanlineDynamicModule;
}

/** The token and the type of the hub: `constructor(private readonly hub: FanlineHub) {}`. */
export declare abstract class FanlineHub<Events extends EventMap = DefaultEvents, Data = any> {
  private constructor();
}
export interface FanlineHub<Events extends EventMap = DefaultEvents, Data = any>
  extends Hub<Events, Data> {}
