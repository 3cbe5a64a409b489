"""Texts with a credential, written ¤, that a name gives away. A case ends with the line that has the ¤ in it."""

JSON = r"""
{"password": "¤"}
{"password":"¤","user":"ann"}
{'api_key': '¤'}
{\"password\": \"¤\"}
{\"client_secret\":\"¤\",\"a\":1}
{\\\"password\\\": \\\"¤\\\"}
"{\"auth\":{\"token\":\"¤\"}}"
curl -d "{\"apiKey\": \"¤\"}" https://x
{"name": "DB_PASSWORD", "value": "¤"}
{"Key":"Password","Value":"¤"}
{"accessToken" : "¤"}
{"user":"a","pass":"¤"}
%7B%22password%22%3A%22¤%22%7D
&quot;password&quot;:&quot;¤&quot;
{"secretAccessKey":"¤"}
{"private_key_id": "x", "refresh_token": "¤"}
{"auths":{"reg":{"auth":"¤"}}}
{"db":{"passwd":"¤"}}
"""

ASSIGNMENTS = r"""
PGPASSWORD=¤ psql
export API_KEY=¤
export API_KEY="¤"
export API_KEY='¤'; ls
set -gx API_KEY ¤
set -x GITHUB_TOKEN ¤
setenv API_KEY ¤
setx API_KEY ¤
setx API_KEY "¤"
set PASSWORD=¤
$env:API_KEY = "¤"
$env:DB_PASSWORD='¤'
$password = '¤'
ENV API_KEY=¤
ENV API_KEY ¤
ARG NPM_TOKEN=¤
declare -x TOKEN="¤"
password = "¤"
password: ¤
password : "¤"
password := "¤"
password => '¤'
:password => '¤'
db.password=¤
spring.datasource.password=¤
-Dspring.datasource.password=¤
-DdbPassword=¤
-PsigningPassword=¤
secret_key_base: ¤
os.environ["API_KEY"] = "¤"
os.environ['API_KEY']='¤'
ENV['API_KEY'] = '¤'
process.env.API_KEY = '¤'
os.environ.get("API_KEY", "¤")
os.getenv('DB_PASSWORD', '¤')
monkeypatch.setenv("API_KEY", "¤")
System.setProperty("db.password", "¤")
[Environment]::SetEnvironmentVariable("API_KEY","¤","User")
config.set("password", "¤")
page.fill('input[name="password"]', '¤')
page.fill("#password", "¤")
.withPassword("¤")
setPassword("¤")
password: str = "¤"
const token: string = "¤"
let apiKey = `¤`
auth=("ann", "¤")
HTTPBasicAuth('ann', '¤')
requests.get(u, auth=('ann','¤'))
headers={'X-Api-Key': '¤'}
connect(user="a", password="¤", host="h")
connect(user=a,password=¤,host=h)
if password == "¤":
token="¤"
token = f"¤"
password=b'¤'
aws_secret_access_key = ¤
aws configure set aws_secret_access_key ¤
git config --global github.token ¤
npm config set //registry.npmjs.org/:_authToken ¤
//registry.npmjs.org/:_authToken=¤
//registry.npmjs.org/:_auth="¤"
//registry.npmjs.org/:_password=¤
pip config set global.password ¤
machine github.com login ann password ¤
login ann password ¤
PASSWORD=ab;¤ x
PASSWORD=ab&¤ x
PASSWORD=ab\"¤ x
PASSWORD='ab'"¤" x
PASSWORD="ab"¤ x
PASSWORD=ab,¤ x
PASSWORD=${DB_PASSWORD:-¤}
${API_TOKEN:=¤}
<password>¤</password>
<add key="Password" value="¤"/>
<property name="password" value="¤"/>
<input type="password" value="¤">
mount -o username=u,password=¤,vers=3
- name: DB_PASSWORD
  value: ¤
- name: DB_PASSWORD
  value: "¤"
password: |
  ¤
password: >-
    ¤
password:
  ¤
echo "password: ¤" > a.yml
echo 'token: ¤'
printf 'user=a\npassword=¤\n'
echo "TOKEN=¤\nOTHER=1"
cat <<EOF
password=¤
EOF
GITHUB_PAT=¤
AZURE_DEVOPS_EXT_PAT=¤ az
STRIPE_KEY=¤
ENCRYPTION_KEY=¤
SECRET_KEY='¤'
DJANGO_SECRET_KEY=¤
JWT_SECRET=¤
SLACK_SIGNING_SECRET=¤
MYSQL_PWD=¤ mysql
BORG_PASSPHRASE=¤
RESTIC_PASSWORD=¤
SSHPASS=¤ sshpass -e ssh a@b
passphrase=¤
my_password1=¤
password2: ¤
DB_PASS=¤
smtp_pass=¤
userPassword=¤
authtoken=¤
ACCESSTOKEN=¤
client-secret: ¤
private-token: ¤
credentials=¤
"""

HEADERS = r"""
curl -H 'Authorization: Bearer ¤' https://x
curl -H "Authorization: Bearer ¤" https://x
curl -H "authorization: bearer ¤"
curl -H 'Authorization: Token ¤'
curl -H 'Authorization: Token token=¤'
curl -H 'Authorization: Basic ¤'
curl -H 'Authorization: ¤'
curl -H Authorization:¤
curl -H "Authorization: ApiKey ¤"
curl -H 'Authorization: Splunk ¤'
curl -H 'Authorization: SharedKey acc:¤'
curl -H 'Proxy-Authorization: Basic ¤'
curl -H 'X-Api-Key: ¤'
curl -H "X-API-KEY:¤"
curl -H 'PRIVATE-TOKEN: ¤'
curl -H 'X-Auth-Token: ¤'
curl -H 'X-Vault-Token: ¤'
curl -H 'X-Amz-Security-Token: ¤'
curl -H 'apikey: ¤'
curl -H 'Ocp-Apim-Subscription-Key: ¤'
curl -H 'DD-APPLICATION-KEY: ¤'
curl -H 'x-functions-key: ¤'
curl -H 'X-Auth-Key: ¤'
curl -H 'api-key: ¤'
curl -H 'JOB-TOKEN: ¤'
curl -H "Cookie: session=¤"
curl -H 'Cookie: a=b; session=¤; c=d'
curl -H 'Set-Cookie: sid=¤; Path=/'
curl -b 'session=¤' https://x
curl -b session=¤ https://x
curl --cookie "session=¤" https://x
Authorization: Bearer ¤
Authorization: Basic ¤
Cookie: session=¤; b=c
Set-Cookie: sid=¤; HttpOnly
{"Authorization": "Bearer ¤"}
{'Authorization': 'token ¤'}
{"headers": {"authorization": "¤"}}
{\"Authorization\": \"Bearer ¤\"}
headers["Authorization"] = "Bearer ¤"
.header("Authorization", "Bearer ¤")
xh GET x Authorization:"Bearer ¤"
git -c http.extraheader="AUTHORIZATION: basic ¤" fetch
-H "Authorization: Bearer "¤
wget --header="Authorization: Bearer ¤" https://x
wget --header "X-Api-Key: ¤" https://x
"""
