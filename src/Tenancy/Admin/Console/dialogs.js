import { busy, button, focusAt, h, say } from './dom.js';

let named = 0;

function open(title, ...content) {
  const id = `dialog-${++named}`;
  const dialog = h('dialog', { 'aria-labelledby': id }, h('h2', { id }, title), content);
  const before = document.activeElement;
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
    else focusAt(before?.dataset.k);
  });

  // The key that opened it is still held: it does not answer the question, too.
  dialog.addEventListener('keydown', event => { if (event.repeat && event.key === 'Enter') event.preventDefault(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/**
 * Asks before something is done. Where a word is given it has to be typed. Gives whether it was done. While it is done nothing cancels it,
 * because its answer may be a token; a browser that closes the dialog all the same does not end it.
 */
export function ask({ title, text, word, action, kind = 'bad', run }) {
  return new Promise(resolve => {
    let done = false;
    let running = null;
    const error = h('p', { class: 'error', role: 'alert' });
    const check = () => { go.disabled = typed.value !== word; };
    const typed = word && h('input', { id: 'word', autocomplete: 'off', spellcheck: 'false', input: check });
    const go = h('button', { type: 'submit', class: kind, disabled: Boolean(word) }, action);
    const submit = event => {
      event.preventDefault();
      error.textContent = '';
      running ??= busy(go, async () => {
        try {
          await run();
          done = true;
          dialog.close();
        } catch (problem) {
          error.textContent = problem.message;
          if (!dialog.isConnected) say(problem.message);
        } finally {
          running = null;
        }
      });
    };
    const dialog = open(title,
      [text].flat().map(line => h('p', null, line)),
      h('form', { submit },
        word && h('div', { class: 'field' }, h('label', { for: 'word' }, 'Type ', h('code', null, word), ' to go on'), typed),
        error,
        h('div', { class: 'actions' }, button('Cancel', () => running ?? dialog.close()), go)));
    (typed ?? go).focus();
    dialog.addEventListener('cancel', event => { if (running) event.preventDefault(); });

    // Somebody went back: what is asked is not of the page that is there now.
    const leave = () => running ?? dialog.close();
    addEventListener('hashchange', leave);
    dialog.addEventListener('close', async () => {
      removeEventListener('hashchange', leave);
      await running;
      resolve(done);
    });
  });
}

/** Shows tokens, which the API gives once. They leave the page with the dialog. */
export function showTokens(title, principals) {
  // What is outside of a dialog nobody hears while it is open.
  const copied = h('p', { class: 'soft', role: 'status' });
  const lines = principals.map((principal, at) => {
    const field = h('textarea', { id: `token-${at}`, readonly: true, class: 'mono token', rows: 2, spellcheck: 'false' });
    field.value = principal.token;
    const copy = button('Copy', async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        copied.textContent = `The token of ${principal.name} is in the clipboard.`;
      } catch {
        copied.textContent = 'The browser does not let this page copy: the token is selected, copy it with the keyboard.';
      }
    });
    return h('div', { class: 'field' }, h('label', { for: `token-${at}` }, `Token of ${principal.name}`), field, h('div', null, copy));
  });
  return new Promise(resolve => {
    const dialog = open(title,
      h('p', null, 'Give it to the caller now: it is shown this once, and the server keeps only a hash of it.'),
      lines, copied,
      h('div', { class: 'actions' }, button('I have it', () => { dialog.close(); dialog.remove(); }, { kind: 'main' })));
    dialog.classList.add('once');

    // What is shown once goes by the button alone. A browser that does not know the attribute asks by the event.
    dialog.setAttribute('closedby', 'none');
    dialog.addEventListener('cancel', event => event.preventDefault());
    dialog.addEventListener('close', resolve);
  });
}
