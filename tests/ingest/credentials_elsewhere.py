"""Texts with a credential, written ¤: names in other languages, tools with ways of their own, places in calls."""

LANGUAGES = r"""
kennwort=¤
Kennwort: ¤
"kennwort": "¤"
DB_KENNWORT=¤
Das Passwort ist ¤
Das Passwort lautet ¤
mein Kennwort lautet: ¤
API-Schlüssel: ¤
api_schluessel=¤
geheimnis = "¤"
Geheimer Schlüssel: ¤
Zugangscode: ¤
mot de passe : ¤
Mot de passe: ¤
motDePasse: "¤"
MOT_DE_PASSE=¤
MDP=¤
mdp: ¤
db_mdp=¤
Le mot de passe est ¤
le mot de passe est : ¤
jeton=¤
jeton d'accès : ¤
JETON_API=¤
clé d'API : ¤
cle_api=¤
clé secrète : ¤
contraseña: ¤
contraseña=¤
contrasena=¤
Contraseña de la base de datos: ¤
"contraseña": "¤"
La contraseña es ¤
clave: ¤
clave_secreta=¤
clave_api=¤
DB_CLAVE=¤
senha=¤
Senha: ¤
SENHA_DB=¤
"senha": "¤"
A senha é ¤
palavra-passe: ¤
palavra_passe=¤
chave_api=¤
chave secreta: ¤
segredo=¤
password è ¤
La password è ¤
parola_chiave=¤
chiave_api=¤
chiave segreta: ¤
segreto=¤
hasło: ¤
haslo=¤
HASLO_DB=¤
"hasło": "¤"
Hasło to ¤
klucz_api=¤
Klucz API: ¤
sekret=¤
пароль: ¤
Пароль: ¤
пароль=¤
пароль от базы: ¤
"пароль": "¤"
мой пароль ¤
токен: ¤
токен=¤
секрет: ¤
секретный ключ: ¤
ключ API: ¤
пароль - ¤
密码: ¤
密码：¤
密码=¤
密码是¤
密码是 ¤
数据库密码：¤
数据库密码是 ¤，请连接
"密码": "¤"
用户名 root 密码 ¤
密碼：¤
口令：¤
令牌：¤
访问令牌: ¤
密钥：¤
API 密钥: ¤
API密钥=¤
秘钥=¤
パスワード: ¤
パスワード：¤
パスワードは¤です
パスワードは「¤」です
DBのパスワードは ¤ です
"パスワード": "¤"
トークン: ¤
トークン=¤
APIキー: ¤
秘密鍵: ¤
シークレット: ¤
暗証番号：¤
비밀번호: ¤
비밀번호=¤
비밀번호는 ¤
토큰: ¤
wachtwoord: ¤
wachtwoord=¤
lösenord: ¤
losenord=¤
salasana=¤
şifre: ¤
parola: ¤
jelszó: ¤
"""

FORMS = r"""
client_assertion=¤
client_assertion_type=urn%3Aietf&client_assertion=¤&grant_type=client_credentials
"client_assertion": "¤"
SAMLResponse=¤
api%5Fkey=¤
https://x/y?api%5Fkey=¤&a=b
user%5Bpassword%5D=¤
curl -d 'user%5Bpassword%5D=¤&user%5Bname%5D=ann' https://x
masterauth ¤
masterauth=¤
CONFIG SET masterauth ¤
echo 'masterauth "¤"' >> redis.conf
kaggle_key=¤
{"username":"ann","key":"¤"}
redis-cli <<< "AUTH ¤"
redis-cli <<EOF\nAUTH ¤\nPING\nEOF
printf 'AUTH ¤\r\nPING\r\n' | nc redis 6379
printf "AUTH default ¤\r\n" | nc redis 6379
AUTH ¤
AUTH default ¤
ACL SETUSER ann on >¤ ~* +@all
redis-cli ACL SETUSER ann on '>¤' allkeys
user ann on >¤ ~*
sentinel auth-pass mymaster ¤
"""

FILES = r"""
deepseek_key: ¤
tavily_key = "¤"
mapbox_key=¤
infura_key: "¤"
etherscan_key='¤'
rapidapi-key: ¤
variable "db_password" { default = "¤" }
db.example.com:5432:shop:ann:¤
localhost:5432:*:postgres:¤
*:*:*:ann:¤
Sec-WebSocket-Protocol: bearer, ¤
PHPSESSID=¤
JSESSIONID=¤
"""

QUOTED = r"""
\u0022password\u0022:\u0022¤\u0022
{\u0022api_key\u0022: \u0022¤\u0022}
&#x27;password&#x27;: &#x27;¤&#x27;
"""

COMMANDS = r"""
curl -x u:¤@p:8080 https://x
curl ftp://h --ftp-account ¤
http -A bearer -a ¤ https://x
xh -A bearer -a ¤ https://x
echo ¤ | docker secret create db_password -
printf ¤ | podman secret create x -
echo "¤" | kubectl create secret generic x --from-file=password=/dev/stdin
kubectl patch secret x -p '{"stringData":{"foo":"¤"}}'
vault unwrap ¤
consul acl set-agent-token default ¤
echo -n "¤" | gcloud secrets create x --data-file=-
printf '%s' '¤' | gcloud secrets versions add x --data-file=-
echo ¤ | az devops login
echo -n ¤ | gh secret set X
gh secret set X <<< "¤"
gh variable set DB_PASSWORD --body ¤
glab variable set X ¤
glab variable set X -v ¤
createuser --pwprompt u <<< "¤"
mysqlsh u:¤@h/d
mysqlsh --uri u:¤@h:33060
mongosh --eval 'db.changeUserPassword("u", "¤")'
echo ¤ | databricks configure --token
databricks secrets put --scope s --key k --string-value ¤
databricks secrets put-secret s k --string-value "¤"
cypher-shell -u neo4j -p ¤
cypher-shell -a bolt://h -u neo4j -p '¤'
couchbase-cli bucket-list -c h -u u -p ¤
cbq -u u -p ¤ -e h
elasticsearch-reset-password -u elastic <<< ¤
etcdctl --user root:¤ get x
etcdctl --user=root:'¤' get x
mosquitto_passwd -b f u ¤
net use * \\h\s /user:u "¤"
schtasks /create /tn x /ru u /rp ¤ /tr y
$pw = ConvertTo-SecureString '¤' -AsPlainText -Force
$s = "¤" | ConvertTo-SecureString -AsPlainText -Force
'¤' | ConvertTo-SecureString -AsPlainText -Force
New-LocalUser -Name u -Password (ConvertTo-SecureString ¤ -AsPlainText -Force)
Set-ADAccountPassword -Identity u -NewPassword (ConvertTo-SecureString "¤" -AsPlainText -Force)
Set-Item -Path Env:API_KEY -Value '¤'
New-Item -Path Env:API_KEY -Value "¤"
networksetup -setairportnetwork en0 ssid ¤
security import k.p12 -P ¤
xcrun altool --upload-app -u u -p ¤
signtool sign /f c.pfx /p ¤ a.exe
racadm -r h -u u -p ¤ getsysinfo
govc -u u:¤@h/sdk about
doctl auth init -t ¤
heroku auth:token ¤
vercel deploy -t ¤
vercel env add SECRET production <<< "¤"
echo "¤" | vercel env add API_KEY production
wrangler secret put X <<< "¤"
echo ¤ | wrangler secret put API_KEY
supabase db push -p ¤
supabase secrets set X=¤
eas secret:create --name X --value ¤
expo login -u u -p ¤
hatch publish -u __token__ -a ¤
cargo login --registry x ¤
bundle config gems.example.com u:¤
bundle config set --global gems.example.com u:¤
composer config http-basic.repo.example.com u ¤
composer config --global github-oauth.github.com ¤
nuget setapikey ¤ -Source x
dotnet nuget add source u -n x -u u -p ¤ --store-password-in-clear-text
dotnet user-secrets set "Stripe:Key" "¤"
dotnet user-secrets set "Db:Password" ¤
codecov -t ¤
terraform login <<< ¤
cryptsetup luksOpen /dev/sda x <<< "¤"
echo -n "¤" | cryptsetup luksFormat /dev/sda -
expect -c 'spawn ssh u@h; expect "password:"; send "¤\r"'
expect "assword:" { send "¤\n" }
openconnect --passwd-on-stdin h <<< "¤"
echo ¤ | openconnect --passwd-on-stdin h
PresharedKey = ¤
zerotier-cli -T¤ status
cloudflared service install ¤
bw list items --session ¤
op signin --raw <<< ¤
pass insert -e x <<< "¤"
keepassxc-cli show f <<< "¤"
lpass login u <<< ¤
secret-tool store --label=x a b <<< ¤
printf ¤ | secret-tool store --label=x a b
keyring set s u <<< ¤
python -c "import keyring; keyring.set_password('s','u','¤')"
kaggle config set -n key -v ¤
"args": ["-y", "x", "--api-key", "¤"]
args: ["--access-token", "¤"]
command: ["redis-server", "--requirepass", "¤"]
["mysql", "-uroot", "-p¤"]
["curl", "-u", "ann:¤", "https://x"]
["sshpass", "-p", "¤", "ssh", "h"]
subprocess.run(["docker", "login", "-u", "u", "-p", "¤"])
redis-server --masterauth ¤
"""

STATEMENTS = r"""
ATTACH 'host=h user=u password=''¤''' AS p (TYPE postgres)
EXEC sp_addlinkedsrvlogin 's', 'false', NULL, 'u', '¤'
SELECT * FROM OPENROWSET('SQLOLEDB', 'h';'u';'¤', 'select 1')
CREATE SYMMETRIC KEY k WITH ALGORITHM = AES_256, KEY_SOURCE = '¤' ENCRYPTION BY CERTIFICATE c
ALTER USER u IDENTIFIED BY x REPLACE ¤
DBMS_CREDENTIAL.CREATE_CREDENTIAL('c', 'u', '¤')
ATTACH DATABASE 'e.db' AS e KEY '¤'
ALTER CURRENT USER SET PASSWORD FROM '¤' TO 'x9'
ALTER CURRENT USER SET PASSWORD FROM 'x9' TO '¤'
CREATE DATABASE d ENGINE = MySQL('h:3306', 'd', 'u', '¤')
"""

CODE = r"""
jwt.sign(payload, '¤')
jwt.verify(token, "¤")
jwt.encode({"a":1}, "¤", algorithm="HS256")
jwt.decode(t, '¤', algorithms=["HS256"])
hmac.new(b"¤", msg, hashlib.sha256)
Fernet(b"¤")
smtp.login("u@x.example", "¤")
server.login('u', '¤')
imap.login("u", "¤")
cx_Oracle.connect("u", "¤", "h/x")
DriverManager.getConnection("jdbc:x", "u", "¤")
DriverManager.getConnection(url, "sa", "¤")
new PDO('mysql:host=h', 'u', '¤')
new mysqli('h', 'u', '¤')
ldap.simple_bind_s("cn=a,dc=b", "¤")
ldap_bind($c, 'cn=a', '¤')
ClientSecretCredential("tenant", "client", "¤")
UsernamePasswordCredential("c", "u", "¤")
PasswordAuthentication("u", "¤".toCharArray())
tweepy.OAuthHandler("k", "¤")
twilio.Client("ACx", "¤")
SecretString::from("¤")
driver.find_element(By.ID, "password").send_keys("¤")
page.locator('#password').fill('¤')
page.getByLabel('Password').fill('¤')
cy.get('[name=password]').type('¤')
fill_in 'Password', with: '¤'
userEvent.type(screen.getByLabelText(/password/i), '¤')
User.objects.create_user('u', 'a@b.c', '¤')
User.objects.create_superuser("admin", "a@b.c", "¤")
bcrypt.hashpw(b"¤", bcrypt.gensalt())
bcrypt.compare("¤", hash)
check_password_hash(h, '¤')
env::var("API_KEY").unwrap_or("¤".to_string())
process.env["API_KEY"] ?? "¤"
process.env.API_KEY || '¤'
os.getenv("API_KEY") or "¤"
ENV.fetch('DB_PASSWORD') { '¤' }
Environment.GetEnvironmentVariable("TOKEN") ?? "¤"
char password[] = "¤";
var apiKey string = "¤"
WiFi.begin(ssid, "¤")
password: Buffer.from('¤')
"password": hash("¤")
"""

SENTENCES = r"""
creds: ann / ¤
The root password has been set to ¤
password changed to ¤
A temporary password is generated for root@localhost: ¤
New API token created: ¤
**Password:** ¤
**Password**: `¤`
| user | ann |
| password | ¤ |
| password | ¤ |
| Password | `¤` |
* token - ¤
Token — ¤
password → ¤
activation key: ¤
Passwort für ann: ¤
"""
