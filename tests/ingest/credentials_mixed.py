"""More texts with a credential, written ¤: what languages, tools and files make of the same few forms."""

MIXED = r"""
curl --cert c.pem:¤ https://x
curl --pass ¤ https://x
docker build --build-arg NPM_TOKEN=¤ .
docker run -e "DB_PASSWORD=¤" x
docker run --env API_TOKEN=¤ x
kubectl set env deploy/x DB_PASSWORD=¤
heroku config:set SECRET_KEY=¤
az sql server create --admin-password ¤
az storage blob list --connection-string "DefaultEndpointsProtocol=https;AccountKey=¤"
aws configure set aws_session_token ¤
AWS_SESSION_TOKEN=¤ aws s3 ls
echo 'export GH_TOKEN=¤' >> ~/.bashrc
sed -i 's/password=.*/password=¤/' f
sed -i "s/^TOKEN=.*/TOKEN=¤/" .env
sed -i 's|password: .*|password: ¤|' f
jq '.password = "¤"' f
jq --arg token ¤ '.x=$token' f
yq -i '.db.password = "¤"' f
redis-cli CONFIG SET requirepass ¤
redis-cli AUTH ¤
echo "requirepass ¤" >> redis.conf
mongosh --eval 'db.auth("u","¤")'
mongosh --eval 'db.createUser({user:"a",pwd:"¤"})'
psql -v pw=¤ -c 'select 1'
GRANT ALL ON x TO a IDENTIFIED VIA mysql_native_password USING '¤'
CREATE DATABASE LINK l CONNECT TO u IDENTIFIED BY ¤ USING 'x'
CONNECT ann/¤@db
EXEC sp_addlogin 'u', '¤'
CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h', PASSWORD '¤')
CREATE CATALOG c WITH ("connection-password" = '¤')
OPEN SYMMETRIC KEY k DECRYPTION BY PASSWORD = '¤'
BACKUP DATABASE d TO DISK='x' WITH PASSWORD='¤'
headers: { Authorization: `Bearer ¤` }
headers: {authorization: 'Bearer ¤'}
fetch(u,{headers:{'X-Auth':'¤'}})
axios.defaults.headers.common['Authorization'] = 'Bearer ¤'
session.auth = ("u", "¤")
boto3.client("s3", aws_secret_access_key="¤")
psycopg2.connect("dbname=d user=u password=¤")
pymysql.connect(host='h', user='u', passwd='¤')
openai.api_key = "¤"
client = OpenAI(api_key="¤")
{"mcpServers":{"x":{"env":{"TOKEN":"¤"}}}}
claude mcp add x -e API_KEY=¤ -- cmd
curl --header=X-Api-Key:¤ https://x
gh api -H "Authorization: token ¤" x
npm_config__authToken=¤ npm i
YARN_NPM_AUTH_TOKEN=¤ yarn
pip install --extra-index-url https://__token__:¤@h/simple
poetry config http-basic.x u ¤
cargo publish --token ¤
<server><id>x</id><password>¤</password></server>
ansible-vault encrypt_string '¤' --name 'x'
ansible_ssh_pass=¤
ansible_become_pass: ¤
vault login -method=userpass username=u password=¤
vault operator unseal ¤
RSYNC_PASSWORD=¤ rsync a b
mount.cifs //h/s /m -o user=u,pass=¤
net use Z: \\h\s ¤ /user:u
psexec \\h -u u -p ¤ cmd
winrs -r:h -u:u -p:¤ cmd
Invoke-RestMethod -Headers @{Authorization = "Bearer ¤"}
Invoke-WebRequest -Headers @{"X-Api-Key"="¤"}
[System.Net.NetworkCredential]::new("u","¤")
cmd /c "set API_KEY=¤&& tool"
set "API_KEY=¤"
launchctl setenv API_KEY ¤
security unlock-keychain -p ¤ k
xcrun notarytool store-credentials --password ¤
openssl passwd -1 ¤
openssl pkcs12 -export -passout pass:¤
openssl pkcs12 -in a -password pass:¤
openssl dgst -sha256 -hmac ¤
gpg --passphrase-fd 0 <<< "¤"
7z a -p"¤" a.7z b
zip --password ¤ a b
qpdf --password=¤ --decrypt a b
rabbitmqadmin -u u -p ¤ list
kafkacat -X sasl.password=¤
sasl.jaas.config=org.x.Y required username="u" password="¤";
influx -username u -password ¤
SNOWSQL_PWD=¤ snowsql
airflow connections add x --conn-password ¤
wp config create --dbpass=¤
RAILS_MASTER_KEY=¤
APP_KEY=base64:¤
NEXTAUTH_SECRET=¤
SENTRY_DSN=https://¤@o1.ingest.sentry.io/1
LDAP_BIND_PW=¤
SMTP_PASS: ¤
"smtp": {"auth": {"user": "u", "pass": "¤"}}
auth: { user: 'u', pass: '¤' }
Username: u Password: ¤
user=u&pass=¤&x=1
pwd=¤&x=1
grant_type=refresh_token&refresh_token=¤
client_id=x&client_secret=¤
https://x/cb#id_token=¤&x=1
wss://h/?access_token=¤
https://user:¤@[::1]:8080/
//u:¤@h.example.com/path
u:¤@tcp(h:3306)/db
Driver={x};Uid=u;Pwd={¤};
Persist Security Info=True;Password='¤';
https://h/o?GoogleAccessId=x&Expires=1&Signature=¤
https://h/o?OSSAccessKeyId=x&Signature=¤
https://h.azurewebsites.net/api/f?code=¤
machine h
  login u
  password ¤
[client]
password="¤"
db.password : ¤
password = '''¤'''
password: "¤" # c
- password: ¤
{password: ¤, user: x}
password: &pw ¤
password: !!str ¤
token = "¤"
<x password='¤'/>
<string name="api_key">¤</string>
<key>password</key><string>¤</string>
<input name=password value=¤>
'password' => '¤'
define('DB_PASSWORD', '¤')
Password: "¤",
os.Setenv("TOKEN", "¤")
:password "¤"
(setq password "¤")
set password "¤"
Password:="¤"
password <- "¤"
TOKEN ?= ¤
TOKEN := ¤
ENV PASSWORD="¤" X=y
Environment="TOKEN=¤"
0 * * * * TOKEN=¤ x
env TOKEN=¤ x
sudo TOKEN=¤ x
read -r TOKEN <<< "¤"
echo ¤ > password.txt
echo -n "¤" > ~/.config/token
printf '%s' '¤' > secrets/db_password
echo -n 'ann:¤' | base64
TOKEN=$(echo -n ann:¤ | base64)
"DB_PASSWORD": '¤'
--set-string auth.password=¤
--set global.postgresql.auth.postgresPassword=¤,x=y
tool --user ann --pass '¤'
tool --password='¤ x'
tool --password="a\"¤"
tool --token=¤;
export A=1 TOKEN=¤ B=2
(TOKEN=¤ x)
TOKEN=¤|x
{TOKEN=¤}
[TOKEN=¤]
TOKEN='¤'
TOKEN="¤"$X
TOKEN=$'¤'
TOKEN=a\ ¤ x
"token":"¤"}]
\"token\":\"¤\"}]
{"a":"{\"b\":\"{\\\"token\\\":\\\"¤\\\"}\"}"}
{"cmd":"export TOKEN=¤\nls"}
{"cmd":"curl -H \"Authorization: Bearer ¤\" https://x"}
{"cmd":"curl -u ann:¤ https://x"}
{"cmd":"mysql -p¤ db"}
{"cmd":"psql postgres://u:¤@h/d"}
{"cmd": "curl -H 'X-Api-Key: ¤'"}
"headers": {"Cookie": "a=b; session=¤"}
Cookie: "session=¤"
cookies={"session": "¤"}
document.cookie = "session=¤"
Set-Cookie: session=¤
cookie: sid=¤
X-CSRF-Token: ¤
x-access-token: ¤
x-amz-security-token:¤
Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/x, SignedHeaders=h, Signature=¤
Authorization: Digest username="u", realm="r", response="¤"
curl --digest --user 'ann:¤' https://x
curl -k -s -u "ann:¤" -X POST https://x
curl https://x -uann:¤
curl -H"Authorization: Bearer ¤" https://x
curl --header 'Authorization: Bearer ¤'
curl -H 'authorization: Basic ¤' -d x
http GET x "Authorization: Bearer ¤"
grpcurl -H 'authorization: bearer ¤' h x
wget --header='Cookie: a=¤' https://x
sshpass -p "¤" rsync a b
SSHPASS='¤' sshpass -e ssh a
mysql --user=root --password='¤' db
mysql -u root --password ¤
mysql -uroot -p¤ -h h < f.sql
mysqldump -h h -u u -p'¤' d | gzip
PGPASSWORD='¤' psql -h h
PGPASSWORD="¤" pg_dump d
export PGPASSWORD=¤; psql
psql "postgresql://u:¤@h/d?sslmode=require"
psql "user=u password=¤ host=h"
psql 'user=u password='"¤"
sqlplus system/¤@//h:1521/x
sqlplus "ann/¤@db"
duckdb -c "ATTACH 'postgres://u:¤@h/d' AS p (TYPE postgres)"
duckdb -c "CREATE SECRET (TYPE s3, KEY_ID 'k', SECRET '¤')"
duckdb -c "CREATE SECRET (TYPE S3, PROVIDER config, KEY_ID 'k', SECRET '¤', REGION 'x');"
snowsql -o password=¤
clickhouse-client --user u --password '¤' -q 'select 1'
trino --server h --user u --access-token ¤
beeline -u jdbc:hive2://h -n u -p ¤
sqoop import --password ¤
spark-submit --conf spark.hadoop.fs.s3a.secret.key=¤
hadoop fs -Dfs.s3a.secret.key=¤ -ls
fs.azure.account.key.x.blob.core.windows.net=¤
"""
