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
token_count=12
tokens: 120
password: str
def login(user: str, password: str) -> Token:
class Token(BaseModel): access_token: str; token_type: str
max_output_tokens: 8192
"total_tokens": 48213, "prompt_tokens": 120
git show 1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b
commit 5f0e8a1c3b (HEAD -> main, origin/main)
sessionId: 550e8400-e29b-41d4-a716-446655440000
session_id: "01HZX3Y8Q4T5V6W7X8Y9Z0A1B2"
request_id=req_011CQabcdefGHIJKL
toolu_01A09q90qw90lq917835lq9
msg_01XFDUDYJgAACzvnptvVoYEL
/Users/ann/.claude/projects/-work-shop/8c1f0a2e.jsonl
src/auth/token_service.py:42: error: Missing return
src/auth/password.py:5432:10: warning: unused
docker run -p 127.0.0.1:5432:5432 postgres
docker run -p 5432:5432 -e POSTGRES_DB=d postgres:16
ports: - "5432:5432"
psql -h localhost -p 5432 -U ann shop
arn:aws:lambda:*:123456789012:function:foo
arn:aws:iam::123456789012:role/deploy
arn:aws:s3:*:5432:bucket:x
rate(http_requests_total[5m]) on >0
echo on >file.txt
turn logging on >log.txt
user ann is on > 3 projects
np.random.seed(42)
random_seed = 1234
seed: 42
torch.manual_seed(1337)
db/seeds.rb and seed data for the shop and all of its many other tables and rows in there now
run the seed script with all the test data that you can find in there and then make sure that it works
"kty": "RSA", "n": "abc", "e": "AQAB"
Das Passwort ist falsch
Das Passwort ist zu kurz
Bitte das Kennwort eingeben
Kennwort vergessen?
Kennwort: erforderlich
Schlüssel: wert
der Schlüssel zum Erfolg
ein Geheimnis ist kein Geheimnis mehr
Geheimnisse der Stadt
le mot de passe est trop court
le mot de passe est requis
Il passe par la rue
le jeton est expiré
la clé primaire est id
clé: valeur
cle_primaire=id
la contraseña es incorrecta
la contraseña es obligatoria
La clave es la paciencia
clave primaria: id
enclave=3
autoclave: on
a senha está errada
a chave é o cliente
chave primária: id
la parola è lunga
la parola: casa
la chiave è sotto il tappeto
un segreto
hasło jest za krótkie
hasło: wymagane
klucz główny: id
klucz: wartość
sekret
пароль слишком короткий
неверный пароль
введите пароль:
токен истёк
ключ: значение
секрет успеха
密码错误
密码不能为空
请输入密码
密码长度至少为8位
密码重置功能
忘记密码？
令牌已过期
密钥管理服务
パスワードを忘れた
パスワードが違います
パスワードは8文字以上です
パスワードを入力してください
トークンの数: 120
トークン数は1200です
비밀번호가 틀렸습니다
비밀번호를 입력하세요
parolando
geheim halten
use std::password::Hash
Token::Ident(name)
let t = Token::new();
Password::hash(&p)
if tok.kind == Token::Secret {
std::collections::HashMap<Key, Value>
password:: required
auth::login(user)
Auth::user()
assert token::parse(input)
api%20key=documentation
https://x/?q=api%20key%20rotation&page=2
https://x/?sort%5Bkey%5D=name
https://x/?filter%5Btoken_count%5D=12
https://x/?filter%5Bstatus%5D=open
user[name]=ann
form[token_type]=Bearer
masterauth is not set
requirepass is deprecated
# requirepass foobared is the example
AUTH required
AUTH failed
AUTH: NOAUTH Authentication required
NOAUTH Authentication required.
AUTH_USER_MODEL = 'users.User'
AUTH = 'basic'
AUTH FLOW DIAGRAM
run AUTH tests
kaggle datasets download x/y
{"name":"x","key":"value1"}
{"username":"ann","role":"admin"}
{"username":"ann","keyboard":"us2"}
row_key=user:12
s3_key=data/2024/a.parquet
issue_key: PROJ-1234
cache_key: 3f2a9b4c5d6e7f80
primary_key = "id1"
foreign_key: user_id2
object_key="img/a1b2.png"
keyboard_key=F12
| token | count |
| Token | 1200 |
| Secret | description |
| password | string | required |
| password | varchar(255) |
| secret_name | k8s/db |
cat password | sha256sum
echo "$PASSWORD" | sha256sum
grep -E "token|secret|v2" src
rg "password|passwd|pwd2" .
**Password**: required
**Token:** optional
**Tokens:** 1200
**Secret**: the name of it
- Token: a JWT
* password - the user's password
* token - string
token — the bearer token
password → hash
secret -> env
--api-key", "--verbose"
["--token", "$TOKEN"]
["--auth", "basic"]
["--password-stdin", "-u"]
["gh", "auth", "status"]
["curl", "-s", "https://x.example/a1"]
["mysql", "-u", "root", "-h", "db1"]
["docker", "run", "-p", "8080:80"]
["docker", "compose", "-p", "proj1", "up"]
"command": "docker", "args": ["run", "-i", "--rm", "x/y"]
"command": "npx", "args": ["-y", "@x/mcp@1.2.3"]
subprocess.run(["psql", "-h", "db1"])
["ssh", "-p", "2222"]
shlex.split("mysql -u root")
process.env.API_KEY ?? ""
process.env.TOKEN || ''
const token = a.token || null
token = os.getenv("TOKEN") or ""
api_key = os.getenv("API_KEY") or None
os.getenv("TOKEN_LIMIT") or "4096"
if (!token || "x" in y) {}
env.PASSWORD ?? undefined
expect(token).toBe('expired')
expect(password).toBe(true)
page.getByLabel('Password').click()
page.locator('#password').fill(password)
page.locator('#password').fill(process.env.PW)
fill_in 'Password', with: user.password
cy.get('[name=password]').should('be.visible')
jwt.sign(payload, secret)
jwt.verify(token, process.env.JWT_SECRET)
jwt.decode(token, options={"verify_signature": False})
jwt.encode(payload, settings.SECRET_KEY, algorithm="HS256")
hmac.new(key, msg, hashlib.sha256)
bcrypt.hash(password, 10)
bcrypt.compare(password, user.hash)
client.login(token)
client.run(host='0.0.0.0')
app.run(host="0.0.0.0", port=8080)
server.login(user, password)
self.client.login(username="ann")
create_user("ann")
create_user(name, email, password)
User.objects.create_user("ann", "a@b.c")
DriverManager.getConnection(url, user, pass)
new PDO($dsn, $user, $pass)
new mysqli($host, $user, $pass)
mysqli_connect($h, $u, $p)
WiFi.begin(ssid, password)
stripe("card")
Stripe(process.env.STRIPE_KEY)
check_password_hash(user.hash, password)
keyring.set_password(service, user, pw)
generate token for user ann
token for user: ann
secret for prod: rotate it
the password for ann is required
password reset for ann: mail sent
password was changed by ann
password changed successfully
the password has been reset
token was set to expire
token is set to expire in 3600 s
password is set to null
token created: 2024-01-01
token generated: 12 of 20
API key created: yes
secret created in 2024
creds: see vault
creds: none / unknown
credentials are in 1Password / Vault
credentials: ~/.aws/credentials
credentials: ./a/b
cred: false
ConvertTo-SecureString $pw -AsPlainText -Force
$pw = Read-Host -AsSecureString
$cred = Get-Credential
$token = Get-Content token.txt
$secret = Get-AzKeyVaultSecret -VaultName v -Name n
$password = (Get-Content pw.txt)
$cred = New-Object PSCredential($u, $pw)
Set-Item -Path Env:PATH -Value $path
net use Z: \\h\s
net use \\h\s /user:ann
net use * /delete
net user ann /active:yes
mysqlsh root@localhost:3306
mysqlsh --uri root@localhost:33060
etcdctl --user root get x
etcdctl get x
curl -x proxy.example.com:8080 https://x
curl --proxy http://proxy:3128 https://x
curl -x localhost:8080 https://x
govc -u https://h/sdk about
govc about
doctl compute droplet list
codecov -f coverage.xml
kaggle competitions list -v
bundle config set path vendor
bundle config set --local without development:test
bundle config build.nokogiri --use-system-libraries
composer config name x/y
composer config repositories.x vcs https://github.com/x/y
composer config platform.php 8.2
dotnet user-secrets list
dotnet user-secrets init
dotnet add package x --source y
dotnet nuget list source
gh variable set X < f
gh secret set X < f
glab variable list
heroku auth:whoami
supabase start
supabase db push
supabase link --project-ref abc
eas build -p ios
eas secret:list
databricks clusters list
security find-generic-password -s x
security import cert.p12 -k login.keychain
cat f | docker secret create x -
docker secret create x ./f.txt
pass insert work/x
passwd ann
cat /etc/passwd | grep ann
echo "done" ; passwd -l ann
cryptsetup luksDump /dev/sda1
secret-tool lookup a b
terraform login app.terraform.io
databricks configure
ATTACH 'a.db' AS b (TYPE sqlite)
ATTACH DATABASE 'a.db' AS key1
SELECT * FROM OPENROWSET(BULK 'a.csv', FORMAT='CSV') x
CREATE INDEX i ON t (key) WHERE key > 'a'
EXEC sp_addlinkedserver 's', 'SQL Server'
ALTER USER u SET DEFAULT_ROLE = x
SELECT mysql('a')
CREATE TABLE t (a int) ENGINE = MergeTree ORDER BY key
sk_buff *skb = alloc_skb(len)
re_compile_pattern and re_search_2
task_1234567890abcdef1234567890abcdef1234567890
disk_0123456789abcdef0123456789abcdef01234567 is full
fc-list : family
sdk-version: 34
pa-11y audit
spa-routing
AKID of the user
AZDO pipelines
AzFunctions
the SCRAM-SHA-256$ prefix
secret-token: see RFC 8959
precio: 12
spacious
mnemonic: easy to remember
mnemonic names for the keys
recovery phrase is shown once
{SHA} is a scheme
sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945
integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"
"integrity": "sha512-abcDEF0123456789abcDEF0123456789abcDEF0123456789abcDEF0123456789+/=="
image: nginx@sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945
data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 ann@h
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkQ ann@h
~/.ssh/id_ed25519.pub
uuid: 9f1c2d3e-4b5a-6789-0abc-def012345678
version 5.0.0-rc.1+build.5432
pip install passlib==1.7.4
tokenizers==0.19.1
"tokenizer_config.json"
"sqlpassthrough": true
compass=north
bypass: true
passenger: 12 ann
trespass: no
passes: 12
keystone: v3
turkey: 3
monkeypatch.setattr(x, "y", 1)
monkeypatch.delenv("API_KEY", raising=False)
assert "token" in response.json()
assert response.json()["token_type"] == "bearer"
self.assertEqual(token, expected)
authors: ann, bob
"author": "Ann <a@b.c>"
authenticated=true
authorized_keys
unauthorized: 401
cookies: 3
cookie_domain: example.com
hmac-sha256
signature mismatch: expected 3 arguments
signature: (self, a: int) -> str
credit card: no
incredible: yes
accredited
sid=1
https://x/y?code=12
https://x/cb?state=open&code=404
https://example.com/:id/:token
https://api.example.com/v1/tokens/count?limit=100
https://x/y?sort=key&dir=asc#token
ws://localhost:3000/socket?transport=polling
postgres://localhost/shop
mongodb://localhost:27017/shop
redis://localhost:6379/0
amqp://rabbit:5672/
sqlite:///a.db
duckdb:///a.duckdb
s3://bucket/key.parquet
git@gitlab.com:a/b.git
ssh ann@h.example.com -p 22
rsync -av a/ ann@h:/b
ann@example.com:/srv/a
gh auth login --web and then set the variable x
fly to Paris and set the date
apply token policy with Fly org issuers
expo build then login to the site
consul agent and token policy
dotnet user-secrets for local development
the vault lookup failed for key1
composer require x/y
stringData is base64 encoded for you
stringData:
npm run eas -- build
"hey": "you", "oc": 1
"http", "https"
send "hello\n"
the login( function
openssl req -new -key k.pem -keyout out.pem
["openssl", "req", "-new", "-key", "k.pem"]
if token[0] == Token.Comment.Single:
func TestFormatSessionInfo_CheckpointNumberingReversed(t *testing.T) {
"""
