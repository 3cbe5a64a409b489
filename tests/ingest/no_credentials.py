"""Texts, one in a line, that have no credential in them and stay as they are."""

TEXTS = r"""
token count: 5
tokens: 1200
max_tokens=500
--max-tokens 500
--max_tokens=4096
input_tokens: 10, output_tokens: 20
{"max_tokens": 1024, "tokens": 12}
usage: {"input_tokens": 1, "cache_read_input_tokens": 99}
cache_key=user:1
cache_key = f"user:{id}"
primary_key=True
primary_key: id
FOREIGN KEY (user_id) REFERENCES users(id)
ALTER TABLE t ADD PRIMARY KEY (id)
CREATE TABLE users (id int, password varchar(255) NOT NULL, token text)
SELECT password_hash FROM users
SELECT id, password, token FROM users WHERE id = 1
select token_count, password_resets from users
SELECT secret FROM t ORDER BY token
SELECT * FROM tokens WHERE key = 'a'
INSERT INTO users (name, password) VALUES ($1, $2)
UPDATE users SET password = $1 WHERE id = $2
UPDATE users SET password = :password WHERE id = :id
UPDATE users SET password = ? WHERE id = ?
WHERE password IS NULL
PGPASSWORD=$PGPASSWORD psql -c 'select 1'
PGPASSWORD="$PGPASSWORD" psql -c 'select 1'
PGPASSWORD="${PGPASSWORD}" psql
PGPASSWORD=${PGPASSWORD:?missing} psql
PGPASSWORD=$(cat /run/secrets/pw) psql
PGPASSWORD="$(cat /run/secrets/pw)" psql
PGPASSWORD=`pass show x` psql
set PASSWORD=%PASSWORD%
$env:TOKEN = $env:OTHER
curl -H "Authorization: Bearer $TOKEN" https://x
curl -H "Authorization: Bearer ${TOKEN}" https://x
curl -H "Authorization: Bearer $(gcloud auth print-access-token)" https://x
curl -H "Authorization: token <token>" https://x
curl -H "Authorization: Bearer ***" https://x
https://x/?next=https%3A%2F%2Fexample.com%3A8080%2Fa%40b
https://x/?next=http%3A%2F%2Flocalhost%3A3000%2Fback&mail=ann%40example.com
https://x/?next=https%3A%2F%2Fgit%40github.com%2Fx and https%3A%2F%2Fann%3A%24%7BPASS%7D%40git.example.com
https%3A%2F%2Fexample.com%2Fann%3Ax%40y
curl -H "X-Api-Key: $KEY" https://x
curl -H "X-Api-Key: your-api-key" https://x
curl -u "$USER:$PASS" https://x
curl -u ann:$PASS https://x
curl -u ann https://x
curl https://$TOKEN@github.com/a/b
git clone https://${GH_TOKEN}@github.com/a/b
git clone git@github.com:a/b.git
git clone ssh://git@github.com/a/b.git
git clone https://git@github.com/a/b
psql postgres://user:password@localhost/db
psql postgres://$U:$P@h/db
psql -h h -U u -d d -W
mysql -u root -p db
mysql -u root -p
mysql -u root -p$MYSQL_PASS db
redis-cli -a $REDIS_PASS ping
docker run -p 8080:80 nginx
docker run -e PASSWORD=$PASSWORD -p 80:80 x
docker login -u me --password-stdin reg
docker compose -p proj up
ls -p /tmp
mkdir -p a/b/c
cp -p a b
cat keys.md
ssh -p 2222 h
ssh -i ~/.ssh/id_ed25519 h
nc -u h 53
id -u
sort -u a
tar -xzf a.tgz -C /tmp
pip install -U pip
rg -u token src
grep -rn password src/
grep -rn "password" src/
grep -rn 'password' 'src/auth.py'
grep -rn "token" --include=*.py .
grep -n "password:" config.yml
grep -E "api_key|secret|token" .env
grep -rn "password=" .
rg "api_key\s*=" src
sed -i 's/password/passphrase/' f
sed -n 's/^TOKEN=//p' .env
awk -F: '/password/ {print $2}' f
cat src/password_reset.py tests/test_tokens.py
pytest tests/test_auth.py -k "token and not password"
python -m pytest tests/test_secret_manager.py::test_rotate
git log --grep="fix token refresh"
git commit -m "Fix password reset: send mail once"
git commit -m "token: handle expiry"
git checkout feature/api-key-rotation
git show 3f2a9b4c5d6e7f8091a2b3c4d5e6f708192a3b4c
git rev-parse HEAD
550e8400-e29b-41d4-a716-446655440000
/home/ann/secrets/keys/token.txt
cat ~/.ssh/id_rsa.pub
explain what a bearer token is
basic auth is used here
bearer authentication required
the password is wrong
the password is required
the password is too short
The token is refreshed every hour
the token was expired
the secret is stored in Vault
a token is a word
password must be at least 8 characters
Enter your password:
Password:
Please reset the password for ann
use token authentication
token expired
invalid token
invalid api key
API key: missing
error: token: expired
error: invalid password
authentication failed for user "ann"
FATAL: password authentication failed for user "ann"
Unexpected token < in JSON at position 0
SyntaxError: Unexpected token '}', "..." is not valid JSON
Unexpected token: name (foo)
KeyError: 'token'
KeyError: 'password'
AttributeError: 'NoneType' object has no attribute 'token'
PASS: test_login_works
PASS tests/a.test.js
PASS: 12, FAIL: 3
pass=12 fail=3
passed: 12
--passed
passing=true
author: Ann
author=ann
authors = ["Ann"]
authority: example.com
authorization: RBAC
keyboard: us
keywords: a, b
keyboard=us
monkey=1
def get_token(self): return self.token
token = get_token()
token = await login(user)
token = tokens[0]
token = self.token
token = request.headers["x"]
const token = localStorage.getItem("token")
const { token, secret } = config
password = getpass.getpass()
password = input("Password: ")
password=self.password
password=password
password=args.password
token=token
token: str
token: string
token: Optional[str] = None
password: str | None = None
password?: string;
secret: SecretStr
apiKey: process.env.API_KEY
apiKey: process.env.OPENAI_API_KEY!,
api_key=os.environ["OPENAI_API_KEY"]
api_key=os.getenv("OPENAI_API_KEY")
"password": "string"
"password": ""
"token": null
"token": true
password: ""
password=
password=""
PASSWORD= psql
token=None
secret: null
secret: ${{ secrets.GITHUB_TOKEN }}
token: ${{ secrets.X }}
password: {{ vault_password }}
password: "{{ lookup('env','X') }}"
password: !vault |
password: <password>
password: *****
api_key: your-api-key
api_key: YOUR_API_KEY_HERE
api_key=xxx
api_key="..."
--token <token>
--token=$TOKEN
--token "$TOKEN"
--password-file pw.txt
--password-stdin
--token-file /run/secrets/x
--key key.pem
--cert c.pem --key k.pem
--secret id=npm,src=.npmrc
--key-size 2048
--sort-key name
--author ann
--auth basic
--no-auth
--session main
tmux new -s main
key=value
key: value
sort(key=lambda x: x.name)
sorted(d, key=len)
max(x, key=lambda t: t[1])
for key, value in d.items():
d["key"] = "value"
keys = list(d.keys())
key in cache
ssh-keygen -t ed25519 -f k
ssh-keygen -t ed25519 -N '' -f k
openssl rand -hex 32
openssl x509 -in a.pem -noout -text
gpg --list-keys
curl https://example.com/a:b@c
curl https://unpkg.com/react@18.2.0/umd/react.js
https://medium.com/@ann/post
https://github.com/a/b/tree/v1@x
npm install react@18.2.0 @types/node@20
npm:react@18.2.0
mailto:ann@example.com
From: ann@example.com
user: ann@example.com
author:ann@example.com
ann@example.com
@dataclass(frozen=True)
https://x/y?page=2&sort=name&key=name
https://x/y?code=404
https://x/search?q=token&state=open
http://localhost:8080/@vite/client
https://h:8443/a@b
localhost:5432
10.0.0.1:8080
eyJ is the start
task-queue-12345678901234567890
risk-assessment-2024-long-name-here
disk-usage-report-for-2024-march
desk-sk-abc
sk-short
AKIA
asian languages and ASIA PACIFIC REGION
dapi
hf_model
npm_config_cache=/tmp
npm_package_version
xoxo
ghp_
glpat
SG. and more
key-value pairs
secret_name
secret_santa_is_a_nice_game_for_everybody_in_the_office
hooks.slack.com
BEGIN RSA PRIVATE KEY
grep -l "BEGIN RSA PRIVATE KEY" *
grep -r -- "-----BEGIN PRIVATE KEY-----" .
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
kubectl get secrets -n prod
kubectl get secret db -o yaml
kubectl create secret generic x --from-file=a
kubectl describe secret db-password
vault kv get secret/x
aws secretsmanager get-secret-value --secret-id prod/db
aws s3 cp a s3://b/c
gh auth status
gh auth login --with-token < file
gh secret list
docker secret ls
az keyvault secret show --name n
gcloud secrets versions access latest --secret=x
pass show github
git config user.name Ann
git config credential.helper store
git config --global http.sslVerify false
credentials: 'include'
credentials: "same-origin"
type="password" name="q"
<input type="password" name="password" id="password">
label: "Password"
placeholder="Enter password"
password_min_length = 12
password_policy: strict
token_type: Bearer
token_url=https://x/token
secret_name: db
secretName: tls
secretKeyRef:
tokenizer: gpt2
tokenizer = AutoTokenizer.from_pretrained("gpt2")
pad_token="<pad>"
eos_token = "</s>"
tokenization
tokens per second: 35.2
echo '{"sql": "select id from customers"}' | agnes query --stdin --json
echo hello | tool --from-stdin
token budget: 8000
context tokens 200000
session_id=550e8400-e29b-41d4-a716-446655440000
session: main
signature: foo(bar)
pin=1
pin: 4 corners
code=0
exit code=1
code: 404
hash=abc
sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
md5: d41d8cd98f00b204e9800998ecf8427e
export PATH=$PATH:/usr/bin
PWD=/home/ann
pwd: /home/ann
OLDPWD=/tmp
echo $PWD
unset PASSWORD
read -s PASSWORD
read -sp "Password: " PW
echo "password: " ; read x; echo "done"
if [ -z "$TOKEN" ]; then echo "no token"; fi
[[ -n $API_KEY ]] && echo set
export TOKEN
env | grep -i token
printenv API_KEY
test -f .env && grep -c PASSWORD .env
echo "token is $TOKEN"
echo "TOKEN=$TOKEN" >> .env
printf 'TOKEN=%s\n' "$TOKEN"
curl -d "password=$PW" https://x
curl -d '{"token": "'"$TOKEN"'"}' https://x
curl -d "{\"token\": \"$TOKEN\"}" https://x
cat <<EOF
password=$PASSWORD
EOF
jq -r .token
jq -r '.access_token' f
jq '{token: .token}'
python -c "import secrets; print(secrets.token_hex(16))"
python -c 'import os; print(os.environ["API_KEY"][:4])'
SELECT * FROM 'a.parquet' WHERE key='x'
SELECT key, count(*) FROM t GROUP BY key
SELECT * FROM read_csv('https://example.com/a.csv?x=1')
CREATE TABLE secret (id int)
ALTER TABLE u RENAME COLUMN password TO pw
GRANT SELECT ON t TO u
DROP SECRET s
SHOW SECRETS
SET search_path = 'x'
SET s3_region='eu'
COPY t TO 'a.csv' (HEADER)
ATTACH 'a.db' AS a (READ_ONLY)
CREATE USER ann
DESCRIBE tokens
"name": "token", "type": "string"
columns=["user", "password", "email"]
select("token", "name")
fields = ('password', 'email')
{"type": "object", "required": ["password", "token"]}
How many tokens does the password prompt use?
What is the difference between a secret and a token?
Add a password reset page with token expiry
Rename api_key to apiKey everywhere
Move the secret to Vault
Refactor: auth -> authentication
Fix: cookies are lost
cookie consent banner
cookie = parse(header)
set-cookie header missing
pressed key: Enter
Key: Ctrl+C
mysql: [Warning] Using a password on the command line interface can be insecure.
ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)
sudo: a password is required
remote: Invalid username or password.
remote: Support for password authentication was removed on August 13, 2021.
fatal: could not read Username for 'https://github.com': terminal prompts disabled
HTTP 401: Bad credentials (https://api.github.com/user)
Error: secret "db" not found
secrets "x" is forbidden
error: no such secret: prod/db
certificate signed by unknown authority
x509: signature algorithm
WARN token limit reached: 200000
Tokens used: 12,345
3,000 tokens
1.2M tokens
"""
