import { Body, Controller, Get, Module, Param, Post, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Request, Response } from 'express';
import { FanlineHub, FanlineModule } from 'fanline/nest';

@Controller('events')
class EventsController {
  constructor(private readonly hub: FanlineHub) {}

  @Get(':room')
  open(@Param('room') rooms: string, @Req() req: Request, @Res() res: Response) {
    this.hub.connect(req, res, { rooms });
  }

  @Post(':room')
  send(@Param('room') room: string, @Body() note: object) {
    const { matched } = this.hub.to(room).send(note, { event: 'note' });
    return { matched };
  }
}

@Module({
  imports: [FanlineModule.forRoot({ grace: 2_000 })],
  controllers: [EventsController],
})
class AppModule {}

const app = await NestFactory.create(AppModule);
app.enableShutdownHooks();
await app.listen(3000);
