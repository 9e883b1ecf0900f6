// A replica set of one, and a user for Greenroom's three databases. Run as often as you like.
const admin = db.getSiblingDB("admin");
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({_id: "rs0", members: [{_id: 0, host: "mongodb:27017"}]});
}
while (!db.hello().isWritablePrimary) sleep(200);
const roles = ["greenroom_session", "greenroom_egress", "greenroom_attendance"].map(
  (name) => ({role: "readWrite", db: name}),
);
const user = {pwd: process.env.GREENROOM_PASSWORD, roles};
if (admin.getUser("greenroom")) admin.updateUser("greenroom", user);
else admin.createUser({user: "greenroom", ...user});
print("The database is ready.");
