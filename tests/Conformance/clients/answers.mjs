// What a tool answered, in the same form whichever client passes it on: its text, what it says as JSON, and whether it is an error.

/** Of a result of MCP. */
export const ofResult = ({ content, structuredContent, isError = false }) => {
  const text = content.filter(part => part.type === 'text').map(part => part.text).join('\n');
  return { text, value: structuredContent ?? parse(text), isError };
};

/** Of what a client makes of a result: parts, one part, a text or the value itself. */
export const ofAnything = made => {
  if (Array.isArray(made) && made[0]?.type === 'text') return ofResult({ content: made });
  if (made?.type === 'text') return ofResult({ content: [made] });
  if (Array.isArray(made?.content)) return ofResult(made);
  return typeof made === 'string' ? ofResult({ content: [{ type: 'text', text: made }] }) : { text: JSON.stringify(made), value: made };
};

const parse = text => {
  try { return JSON.parse(text); } catch { return undefined; }
};
