// Every other path, for the behaviour suite: whoever runs the server answers.

export const dynamic = 'force-dynamic';

const answer = (request) => globalThis.answerForSuite(request);

export { answer as GET, answer as HEAD, answer as POST };
