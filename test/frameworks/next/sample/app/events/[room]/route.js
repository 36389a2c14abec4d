import { hub } from '../../../hub.js';

export const dynamic = 'force-dynamic';

export async function GET(request, { params }) {
  const { room } = await params;
  return hub.response(request, { rooms: room });
}

export async function POST(request, { params }) {
  const { room } = await params;
  const { matched } = hub.to(room).send(await request.json(), { event: 'note' });
  return Response.json({ matched });
}
