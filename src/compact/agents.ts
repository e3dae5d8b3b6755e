/** What a browser's user agent says. */
import Bowser from 'bowser';
import { isbot } from 'isbot';

/** Attributes by their names. */
export type AgentAttributes = Record<string, string>;

/** So many user agents are remembered; each visit repeats its own. */
const MAX_KNOWN = 2_000;
/** No browser's is longer, and patterns take their time over long texts. */
const MAX_LENGTH = 1_024;

export interface Agents {
  isBot(userAgent: string): boolean;
  /** Browser, system and kind of device, as far as they show, and whether it is a bot. */
  attributesOf(userAgent: string): AgentAttributes;
}

export function createAgents(): Agents {
  const known = new Map<string, { isBot: boolean; attributes: AgentAttributes }>();
  const look = (userAgent: string): { isBot: boolean; attributes: AgentAttributes } => {
    const text = userAgent.slice(0, MAX_LENGTH);
    const before = known.get(text);
    if (before) return before;
    const found = { isBot: isbot(text), attributes: parse(text) };
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, found);
    return found;
  };
  return {
    isBot: (userAgent) => look(userAgent).isBot,
    attributesOf: (userAgent) => look(userAgent).attributes,
  };
}

function parse(userAgent: string): AgentAttributes {
  if (!userAgent) return {};
  const { browser, os, platform } = Bowser.parse(userAgent);
  const all: [string, string | undefined][] = [
    ['user_agent.name', browser.name],
    ['user_agent.version', browser.version],
    ['user_agent.os.name', os.name],
    ['user_agent.os.version', os.version],
    ['device.type', platform.type],
    ['user_agent.synthetic.type', isbot(userAgent) ? 'bot' : undefined],
  ];
  return Object.fromEntries(all.filter((entry): entry is [string, string] => Boolean(entry[1])));
}
