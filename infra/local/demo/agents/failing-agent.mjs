// An agent that means well and breaks a test each time, also after it was told.
import { readCode, readPrompt, writeCode } from './workplace.mjs';
import { inLowerCase } from './versions.mjs';

const { purpose, feedback } = await readPrompt();
const code = readCode();
const text = inLowerCase.find((version) => version !== code && !(feedback && version === inLowerCase[0]));
const said = feedback ? 'a test failed? Then written in another way' : 'comparing and telling addresses in lower case';
await writeCode(text, purpose === 'generate' ? said : 'looking for something faster');
