import { Controller, Injectable, Module } from '@nestjs/common';
import { createHub, type Hub } from 'fanline';
import { FanlineHub, FanlineModule } from 'fanline/nest';

interface Events {
  tick: { n: number };
}

@Injectable()
class Config {
  retry = 5;
}

@Controller()
export class Typed {
  constructor(
    private readonly hub: FanlineHub<Events, { name: string }>,
    private readonly plain: FanlineHub,
  ) {
    const same: Hub<Events, { name: string }> = this.hub;
    same.broadcast({ n: 1 }, { event: 'tick' });
    // @ts-expect-error: not the data of a tick
    this.hub.broadcast({ m: 1 }, { event: 'tick' });
    // @ts-expect-error: no such event
    this.hub.broadcast({ n: 1 }, { event: 'tock' });
    this.plain.broadcast('anything', { event: 'tock' });
  }
}

@Module({
  imports: [
    FanlineModule.forRoot(),
    FanlineModule.forRoot({ hub: { retry: 5 }, grace: 1_000, isGlobal: false }),
    FanlineModule.forRoot({ hub: createHub<{ tick: number }>(), grace: false }),
    FanlineModule.forRootAsync({
      imports: [{ module: Config }],
      inject: [Config],
      useFactory: async ({ retry }: Config) => ({ hub: { retry } }),
    }),
    // @ts-expect-error: an unknown option
    FanlineModule.forRoot({ hbu: {} }),
    // @ts-expect-error: no factory
    FanlineModule.forRootAsync({ inject: [] }),
    // @ts-expect-error: not the options of a hub
    FanlineModule.forRootAsync({ useFactory: () => ({ hub: { retry: 'x' } }) }),
  ],
})
export class App {}

// @ts-expect-error: nobody makes one
new FanlineHub();
