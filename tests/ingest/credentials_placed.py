"""Texts with a credential, written ¤, that its place gives away: in a command, a statement, an address, a sentence."""

PROGRAMS = r"""
curl -u ann:¤ https://x
curl -u 'ann:¤' https://x
curl -u "ann:¤" https://x
curl -uann:¤ https://x
curl -sSu ann:¤ https://x
curl --user ann:¤ https://x
curl --user=ann:¤ https://x
curl -u :¤ https://x
curl --proxy-user ann:¤ https://x
curl -U ann:¤ -x p https://x
curl --oauth2-bearer ¤ https://x
curl -d 'grant_type=password&username=a&password=¤' https://x
curl -d password=¤ https://x
curl --data-urlencode "client_secret=¤" https://x
curl -F token=¤ https://x
wget --password=¤ https://x
wget --http-password ¤ https://x
http -a ann:¤ https://x
sshpass -p ¤ ssh a@b
sshpass -p¤ ssh a@b
sshpass -p '¤' scp a b:
mysql -u root -p¤ db
mysql -uroot -p'¤' db
mysql -p"¤" -e 'select 1'
mysql --password=¤ db
mysqldump -u root -p¤ db > x
mysqladmin -u root -p¤ ping
docker exec db mysql -u root -p¤
bash -c "mysql -u root -p¤ db"
ssh h 'mysql -p¤ db'
psql "host=h user=u password=¤ dbname=d"
psql "host=h password='¤'"
psql postgresql://h/d?password=¤
redis-cli -a ¤ ping
redis-cli -h x --pass ¤ ping
docker login -u me -p ¤ reg
docker login --password ¤ reg
docker login --username me --password=¤
podman login -p ¤ reg
helm registry login -u u -p ¤ r
helm install x y --set db.password=¤
helm install x y --set auth.rootPassword=¤,auth.user=x
kubectl create secret generic x --from-literal=password=¤
kubectl create secret generic x --from-literal=foo=¤
kubectl create secret generic x --from-literal foo=¤
kubectl create secret docker-registry r --docker-password=¤
kubectl config set-credentials u --token=¤
kubectl --token ¤ get pods
oc login --token=¤ --server=x
oc login -u u -p ¤
az login --service-principal -u x -p ¤ --tenant t
az storage blob list --account-key ¤
az storage blob list --sas-token '¤'
az keyvault secret set --name n --value ¤
az acr login -u u -p ¤
aws secretsmanager create-secret --name n --secret-string ¤
aws ssm put-parameter --name n --value ¤ --type SecureString
aws rds create-db-instance --master-user-password ¤
gcloud sql users set-password u --password=¤
gh secret set NAME --body ¤
gh secret set NAME -b "¤"
echo ¤ | gh auth login --with-token
echo '¤' | docker login -u u --password-stdin
echo "¤" | sudo -S ls
echo "ann:¤" | chpasswd
printf '%s' ¤ | docker login --password-stdin
docker login --password-stdin <<< ¤
sudo -S ls <<< "¤"
vault login ¤
vault login token=¤
vault kv put secret/x foo=¤
vault write auth/x secret_id=¤
ngrok config add-authtoken ¤
ngrok authtoken ¤
wandb login ¤
cargo login ¤
snyk auth ¤
huggingface-cli login --token ¤
pulumi config set --secret k ¤
mc alias set n https://x minio ¤
rabbitmqctl add_user u ¤
htpasswd -b f u ¤
htpasswd -nb u ¤
htpasswd -cbB f u ¤
openssl enc -aes-256-cbc -pass pass:¤
openssl rsa -passin pass:¤ -in k
openssl enc -k ¤ -in a
gpg --batch --passphrase ¤ -c f
gpg --passphrase=¤ -d f
ssh-keygen -t ed25519 -N ¤ -f k
ssh-keygen -N '¤' -f k
keytool -storepass ¤ -keypass x9
jarsigner -storepass ¤ a.jar
zip -P ¤ a.zip b
unzip -P ¤ a.zip
7z x -p¤ a.7z
unrar x -p¤ a.rar
sqlplus ann/¤@db
sqlplus -S ann/¤@//h:1521/x
impdp ann/¤@db directory=x
jdbc:oracle:thin:ann/¤@//h:1521/x
sqlcmd -S h -U sa -P ¤ -Q "select 1"
sqlcmd -U sa -P'¤'
bcp t out f -U sa -P ¤
mongosh -u u -p ¤ --host h
mongodump --password=¤
cqlsh -u u -p ¤
clickhouse-client --password ¤
ldapsearch -x -D cn=a -w ¤ -b dc=x
smbclient //h/s -U ann%¤
smbclient //h/s -U 'ann%¤'
lftp -u ann,¤ h
net use \\h\s /user:u ¤
net user ann ¤ /add
mosquitto_pub -u u -P ¤ -t x
snmpget -v3 -A ¤ h
twine upload -u u -p ¤ dist/*
poetry publish -u u -p ¤
poetry config pypi-token.pypi ¤
dotnet nuget push x --api-key ¤
nuget push x -ApiKey ¤
svn co --username u --password ¤ url
flyway -password=¤ migrate
terraform apply -var 'db_password=¤'
terraform apply -var="db_password=¤"
ansible-playbook -e 'ansible_password=¤' x
sonar-scanner -Dsonar.token=¤
java -jar x --spring.datasource.password=¤
tool --token ¤
tool --token=¤
tool --token "¤"
tool --api-key=¤
tool --secret ¤
tool --client-secret='¤'
tool --auth-token ¤ x
tool --access-token ¤
tool --password \
  ¤
tool -password ¤
tool --admin-password ¤
tool --pass ¤
xfreerdp /v:h /u:a /p:¤
cmdkey /add:h /user:a /pass:¤
wpa_passphrase ssid ¤
nmcli dev wifi connect s password ¤
ConvertTo-SecureString "¤" -AsPlainText -Force
ConvertTo-SecureString -String '¤' -AsPlainText
security add-generic-password -a a -s s -w ¤
rclone obscure ¤
useradd -p ¤ x
fly secrets set FOO=¤
doppler secrets set FOO=¤
echo "localhost:5432:db:me:¤" > ~/.pgpass
tailscale up --authkey ¤
plink -pw ¤ h
expect -c 'send "password ¤"'
"""

STATEMENTS = r"""
ALTER USER a WITH PASSWORD '¤'
ALTER USER a PASSWORD '¤'
CREATE ROLE a LOGIN PASSWORD '¤' VALID UNTIL 'x'
CREATE ROLE a WITH LOGIN ENCRYPTED PASSWORD '¤'
CREATE USER a IDENTIFIED BY '¤'
CREATE USER a IDENTIFIED BY "¤"
CREATE USER a IDENTIFIED BY ¤
CREATE USER a IDENTIFIED WITH mysql_native_password BY '¤'
CREATE USER a IDENTIFIED WITH sha256_password BY '¤'
CREATE USER a IDENTIFIED BY PASSWORD '¤'
GRANT ALL ON *.* TO a IDENTIFIED BY '¤'
SET PASSWORD FOR a = '¤'
SET PASSWORD FOR a = PASSWORD('¤')
SET PASSWORD = '¤'
ALTER LOGIN sa WITH PASSWORD = N'¤'
ALTER LOGIN sa WITH PASSWORD = '¤' OLD_PASSWORD = 'y9'
CREATE MASTER KEY ENCRYPTION BY PASSWORD = '¤'
CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET '¤')
CREATE SECRET s (TYPE s3, KEY_ID '¤', SECRET 'yy')
CREATE OR REPLACE PERSISTENT SECRET s (TYPE S3, KEY_ID 'x', SECRET '¤', REGION 'eu')
CREATE SECRET s (TYPE azure, CONNECTION_STRING 'AccountName=a;AccountKey=¤')
CREATE SECRET h (TYPE http, BEARER_TOKEN '¤')
CREATE SECRET h (TYPE postgres, HOST 'h', USER 'u', PASSWORD '¤')
ATTACH 'postgres:host=h user=u password=¤' AS pg
ATTACH 'host=h user=u password=¤ dbname=d' AS pg (TYPE postgres)
ATTACH 'postgresql://u:¤@h/d' AS pg
ATTACH 'x.db' AS y (ENCRYPTION_KEY '¤')
ATTACH 'md:x?motherduck_token=¤'
SET s3_secret_access_key='¤'
SET motherduck_token='¤'
PRAGMA key='¤'
PRAGMA key = '¤'
PRAGMA rekey = '¤'
COPY t FROM 's3://b' CREDENTIALS 'aws_access_key_id=x;aws_secret_access_key=¤'
COPY t FROM 's3://b' ACCESS_KEY_ID 'x' SECRET_ACCESS_KEY '¤'
COPY INTO t CREDENTIALS=(AWS_KEY_ID='x' AWS_SECRET_KEY='¤')
CREATE STAGE s CREDENTIALS=(AZURE_SAS_TOKEN='¤')
CREATE DATABASE SCOPED CREDENTIAL c WITH IDENTITY='i', SECRET='¤'
CREATE CREDENTIAL c WITH IDENTITY = 'i', SECRET = '¤'
CHANGE MASTER TO MASTER_PASSWORD='¤'
CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '¤')
CREATE SUBSCRIPTION s CONNECTION 'host=h password=¤' PUBLICATION p
SELECT dblink('host=h password=¤', 'select 1')
SELECT * FROM postgres_scan('host=h password=¤', 'public', 't')
SELECT pgp_sym_encrypt(x, '¤')
SELECT aes_decrypt(x, '¤')
UPDATE u SET password='¤' WHERE id=1
UPDATE u SET password = crypt('¤', gen_salt('bf'))
SELECT * FROM u WHERE token = '¤'
SELECT * FROM mysql('h:3306','d','t','u','¤')
SELECT * FROM postgresql('h:5432','d','t','u','¤')
SELECT * FROM s3('https://b/x','AK','¤','CSV')
INSERT INTO c VALUES ('password=¤')
"""

CONNECTIONS = r"""
Server=h;User Id=sa;Password=¤;Database=d
Server=h;User Id=sa;Password=¤
"Server=h;Uid=sa;Pwd=¤;"
"Driver={x};Server=h;UID=sa;PWD=¤;Encrypt=yes"
'Server=h;Password=ab ¤ cd;Database=d'
DefaultEndpointsProtocol=https;AccountName=a;AccountKey=¤;EndpointSuffix=x
Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=¤
BlobEndpoint=https://x;SharedAccessSignature=sv=2020&sig=¤
jdbc:postgresql://h/d?user=u&password=¤
jdbc:mysql://h/d?user=u&password=¤&x=y
jdbc:sqlserver://h;user=u;password=¤;encrypt=true
amqp://u:¤@h:5672/v
mongodb+srv://u:¤@h/d
mongodb://u:¤@h1:1,h2:2/d
redis://:¤@h:6379/0
rediss://default:¤@h
mssql+pyodbc://u:¤@h/d?driver=x
ftp://u:¤@h/x
smtp://u:¤@h:587
ldap://cn=a:¤@h
snowflake://u:¤@acc/d
"""

URLS = r"""
https://login.example.com/?next=https%3A%2F%2Fann%3A¤%40git.example.com%2Fshop
curl "https://x/pull?from=postgresql%3a%2f%2fann%3a¤%40db%3a5432%2fshop&page=2"
https://x/?a=https%253A%252F%252Fann%253A¤%2540git.example.com
https://u:¤@h/x
https://¤@github.com/a/b
https://¤:x-oauth-basic@github.com/a/b
https://oauth2:¤@gitlab.com/a/b
https://x-access-token:¤@github.com/a/b
postgres://u:p@¤@db/x
postgres://u:p@ss/¤@db/x
postgres://u:a/b¤@db/x
postgres://u:a?b#¤@db/x
postgres://u:p%40¤@db/x
git+https://u:¤@h/x.git
pip install --index-url https://u:¤@h/simple x
git remote set-url origin https://u:¤@h/x
git config url."https://u:¤@h/".insteadOf https://h/
http_proxy=http://u:¤@p:3128
https://x/y?key=¤
https://x/y?a=b&token=¤&c=d
https://x/y?access_token=¤
https://x/y#access_token=¤&b=c
https://x/y?api_key=¤
https://x/cb?code=¤&state=s
https://x/y?sig=¤
https://x.blob.core.windows.net/c?sv=2020-01-01&se=2030-01-01&sp=r&sig=¤
https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=¤
https://b.s3.amazonaws.com/k?X-Amz-Credential=¤%2F2030&X-Amz-Date=x
https://b.s3.amazonaws.com/k?X-Amz-Security-Token=¤
https://storage.googleapis.com/b/o?X-Goog-Signature=¤
https://storage.googleapis.com/b/o?X-Goog-Credential=¤
https://b.s3.amazonaws.com/k?AWSAccessKeyId=¤&Expires=1
https://d.cloudfront.net/k?Expires=1&Signature=¤&Key-Pair-Id=K
https://x/y?password=¤
https://x/y?auth=¤
https://x/y?client_secret=¤
https://x/y?apikey=¤
https://x/y?sid=¤
https://x/y?a=1&amp;token=¤
https://x/y?next=https%3A%2F%2Fh%3Ftoken%3D¤
sftp ann:¤@files.example.com
curl ann:¤@files.example.com/x
"""

SENTENCES = r"""
the password is ¤
My password: ¤
password ¤
the api key is ¤
API key: ¤
wrong password: ¤
password for ann is ¤
the secret was ¤.
with username ann and password ¤
bearer ¤
passphrase: ¤
"""

PRIVATE_KEYS = r"""
-----BEGIN PRIVATE KEY----- ¤
-----BEGIN RSA PRIVATE KEY-----\n¤\n-----END RSA PRIVATE KEY-----
-----BEGIN OPENSSH PRIVATE KEY-----\r\n¤
"private_key": "-----BEGIN PRIVATE KEY-----\n¤\n-----END PRIVATE KEY-----\n"
-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n¤
-----BEGIN EC PRIVATE KEY-----
¤
-----END EC PRIVATE KEY-----
"""
