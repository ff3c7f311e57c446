// The official clients, used as their documentation says.
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { ofResult } from '../answers.mjs';

const about = { name: 'buyer', version: '1.0.0' };

async function connect(makeClient, Transport, finish, url, { token, person }) {
  const options = { authProvider: person, ...token && { requestInit: { headers: { Authorization: `Bearer ${token}` } } } };
  let client, transport;
  const open = async () => {
    client = makeClient();
    transport = new Transport(new URL(url), options);
    await client.connect(transport);
  };
  // Whoever has to sign in is sent to do so, and what failed is done again.
  const signedIn = async action => {
    try {
      return await action();
    } catch (error) {
      const answer = person?.takeAnswer();
      if (!answer) throw error;
      await finish(transport, answer);
      return action();
    }
  };
  await signedIn(open);
  return {
    tools: async () => (await signedIn(() => client.listTools())).tools.map(tool => tool.name),
    call: async (name, args) => ofResult(await signedIn(() => client.callTool({ name, arguments: args }))),
    close: () => client.close(),
  };
}

const finishV1 = (transport, answer) => transport.finishAuth(answer.get('code'));
const finish = (transport, answer) => transport.finishAuth(answer);
const of = mode => () => new Client(about, { versionNegotiation: { mode } });

export const clients = [
  {
    name: 'sdk 1.x', revision: '2025-11-25', signsIn: true,
    connect: (...where) => connect(() => new ClientV1(about), TransportV1, finishV1, ...where),
  },
  {
    name: 'client 2.x', revision: '2025-11-25', signsIn: true,
    connect: (...where) => connect(of('legacy'), StreamableHTTPClientTransport, finish, ...where),
  },
  {
    name: 'client 2.x, auto', revision: '2026-07-28', signsIn: true,
    connect: (...where) => connect(of('auto'), StreamableHTTPClientTransport, finish, ...where),
  },
];
