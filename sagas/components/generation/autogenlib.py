"""Has autogenlib write one module that says which files change, and prints them as an answer of a model does.

On standard input: JSON with `task`, all that is to be known. What is generated is run by the import, so this is started in a sandbox alone.
"""

import importlib
import json
import os
import sys

FORM = """
The module does nothing when it is imported but define one constant, FILES: a dict from str to str or None. A key is the path of a file of the
repository; its value the whole new text of that file, or None for a file that goes away. It has every file that changes and no other, and
needs no import. What these files are to do is said in the following. Where that asks for files in the form "@@@ FILE path", put them into FILES instead.

"""


def answer_of(files):
    """The form in which models answer."""
    if not isinstance(files, dict) or not files:
        raise SystemExit('the module that was written has no FILES')
    for path, text in files.items():
        if not isinstance(path, str) or '\n' in path or not isinstance(text, (str, type(None))):
            raise SystemExit('FILES of the module that was written is not from paths to texts')
        if text is None:
            yield '@@@ DELETE ' + path
            continue
        if any(line.startswith('@@@ ') for line in text.splitlines()):
            raise SystemExit('a text of FILES cannot be told')
        yield '@@@ FILE ' + path + '\n' + text.removesuffix('\n') + '\n@@@ END'


def main():
    task = FORM + json.load(sys.stdin)['task']
    # What is generated may print what it likes.
    out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    hook = sys.excepthook
    import autogenlib

    # It sends what is not caught to its model, from its import on, whatever it is told later.
    sys.excepthook = hook
    autogenlib.init(task, enable_exception_handler=False, enable_caching=False)
    # 0.1.3 looks at the description that there was when it was imported.
    finder = sys.modules.get('autogenlib._finder')
    if finder is not None:
        finder.description = task
    try:
        module = importlib.import_module('autogenlib.change')
    except ImportError:
        raise SystemExit('autogenlib wrote no module')
    except Exception as error:
        raise SystemExit('the module that was written fails: ' + type(error).__name__ + ': ' + str(error)[:500])
    out.write('\n'.join(answer_of(getattr(module, 'FILES', None))) + '\n')
    out.flush()
    # What it may have begun does not go on.
    os._exit(0)


main()
